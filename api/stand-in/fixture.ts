/** An api on real parts (Redis, a folder as the store) and one stand-in node, for one test file. */
import http, { type IncomingMessage, type RequestListener } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { seeNodes } from '../scheduler/seen-nodes.ts';
import { createFairGate } from '../scheduler/fair-gate.ts';
import { startsAtOnce } from '../scheduler/lanes.ts';
import { openJobSender } from '../../shared/jobs/queues.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { ensureIncarnation } from '../../shared/registry/incarnation.ts';
import { openRedisRegistry } from '../../shared/registry/redis/driver.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { createMeters } from '../../shared/telemetry/meters.ts';
import { openTracing } from '../../shared/telemetry/tracing.ts';
import type { ApiParts } from '../parts.ts';
import { buildServer } from '../server.ts';
import { startStandInNode, type StandInNode, type StandInOptions } from './node.ts';
import { startTestRedis } from './redis.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The body, when it is JSON. */
  readonly body: Record<string, unknown>;
}

export interface Fixture extends AsyncDisposable {
  readonly parts: ApiParts;
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly node: StandInNode;
  readonly port: number;
  readonly redisUrl: string;
  /** Another api process on the same registry; its port. */
  another(): Promise<number>;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** A ready template and a sleeping actor of it. */
  sleeping(id: string, template?: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly port?: number;
}

export async function startFixture(
  serve: RequestListener,
  options: {
    readonly token?: string;
    readonly upgrade?: StandInOptions['upgrade'];
    readonly slots?: number;
    readonly maxParked?: number;
    readonly otlpEndpoint?: string;
  } = {},
): Promise<Fixture> {
  await using resources = new AsyncDisposableStack();
  const redis = resources.use(await startTestRedis());
  const log = createLogger('silent', {});
  const registry = openRedisRegistry(redis.url, log);
  resources.defer(() => registry.close());
  const store = await openObjectStore(pathToFileURL(path.join(redis.folder, 'store')).href);
  resources.defer(() => store.close());
  const jobs = resources.use(openJobSender(redis.url, log));
  await ensureIncarnation(registry, store);
  const { upgrade, slots, token } = options;
  const node = resources.use(
    await startStandInNode({
      id: 'node-1',
      redisUrl: redis.url,
      registry,
      store,
      serve,
      ...(upgrade !== undefined && { upgrade }),
      ...(slots !== undefined && { slots }),
    }),
  );
  const parts: ApiParts = {
    registry,
    store,
    jobs,
    starts: createFairGate(startsAtOnce),
    seen: seeNodes(registry),
    log,
    meters: createMeters('api'),
    tracing: resources.use(await openTracing('dormouse-api', options.otlpEndpoint, 'api')),
    token,
    actorDomain: 'actors.test',
    maxParked: options.maxParked ?? 100,
  };
  const another = async (): Promise<number> => {
    const api = resources.use(await buildServer(parts));
    return Number(new URL(await api.listen('127.0.0.1', 0)).port);
  };
  const port = await another();
  const owned = resources.move();
  const call = (method: string, url: string, more: CallOptions = {}) => send(more.port ?? port, method, url, more);
  return {
    parts,
    registry,
    store,
    node,
    port,
    redisUrl: redis.url,
    another: async () => {
      const api = owned.use(await buildServer(parts));
      return Number(new URL(await api.listen('127.0.0.1', 0)).port);
    },
    call,
    async sleeping(id, template = {}) {
      const spec = specOf(`t-${id}`, template);
      await call('POST', '/v1/templates', { body: spec });
      await until(async () => (await registry.getTemplate(spec.name))?.state === 'ready');
      await call('POST', '/v1/actors', { body: { id, template: spec.name } });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export const specOf = (name: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  name,
  containers: [{ name: 'main', image: 'oci:/images:main', port: 80 }],
  ...fields,
});

async function send(port: number, method: string, url: string, { headers, body }: CallOptions): Promise<Answer> {
  const json = body === undefined ? undefined : JSON.stringify(body);
  const request = http.request({
    host: '127.0.0.1',
    port,
    method,
    path: url,
    agent: false,
    headers: {
      ...(json !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
      ...headers,
    },
  });
  request.end(json);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  const content = await text(answer);
  const isJson = String(answer.headers['content-type']).includes('json');
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text: content,
    body: isJson ? (JSON.parse(content) as Record<string, unknown>) : {},
  };
}

/** Looks until it holds; a test that waits in vain says so. */
export async function until(holds: () => Promise<boolean> | boolean, limitMs = 10_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`did not come to hold within ${limitMs} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
