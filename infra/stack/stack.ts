/**
 * The whole platform on one machine, as one process tree: Redis, the api, and the workers, each under supervision.
 * If any of it fails to start, what was started is stopped again and the error says why.
 *
 * Stopping goes the other way, with a limit for each phase: the workers first (each suspends its actors into the store,
 * for which it needs Redis), then the api, then Redis. What passes its limit is killed and the next phase begins.
 */
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { freePort } from '../servers/free-port.ts';
import { answersPing } from '../servers/redis.ts';
import { applyTemplate, waitUntilReady, type ApiClient, type TemplateSpecification } from './api-client.ts';
import { createChildren, type Children, type StackEvents, type StopPhase } from './children.ts';
import type { StackConfig } from './config.ts';
import { lockHome } from './home-lock.ts';
import { decidePort } from './ports.ts';
import {
  apiSpec,
  nodeIds,
  redisFolder,
  redisSocketIn,
  redisSpec,
  workerSpec,
  type DecidedConfig,
} from './processes.ts';
import type { SupervisedChild } from './supervise.ts';

/** Workers probe for KVM by booting a guest before they say that they are ready; emulated, on a loaded machine. */
const readyLimitMs = 120_000;
/** A cold boot of the template's VM under emulation, unpacking its image before it, and room for a slow disk. */
const templateLimitMs = 300_000;
/** After its drain time a worker captures and uploads all that it runs; this limit is for one that hangs. */
const workerStopLimitMs = 90_000;
/** After its drain time the api closes its connections. */
const apiStopLimitMs = 10_000;
/** Redis writes out its append-only file. */
const redisStopLimitMs = 15_000;
const redisPollMs = 20;

export interface Stack extends AsyncDisposable {
  readonly url: string;
  readonly config: DecidedConfig;
  readonly nodes: readonly string[];
  /** `redis` (if it is ours), `api` and the workers by name, to look at, or to kill one. */
  readonly processes: ReadonlyMap<string, SupervisedChild>;
  /** Resolves when a process failed too often and is not restarted any more. */
  readonly gaveUp: Promise<DormouseError>;
  /** Applies a template and returns when it is ready. */
  apply(template: TemplateSpecification, onState?: (state: string) => void): Promise<void>;
  /** Graceful, phase by phase. A second call joins the first. */
  stop(): Promise<void>;
  /** Everything at once, as a crash would: nothing is suspended. Also ends a `stop` that is under way. */
  kill9(): Promise<void>;
}

export interface StartOptions extends StackEvents {
  /** Gives up starting; what was started is stopped before the call rejects. */
  readonly cancel?: AbortSignal;
  /** Settings of single processes (`api`, `node-1`, …) over those of all, for tests in which one sees another world. */
  readonly settingsOf?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Returns when the api is ready and every worker has registered. Port 0 takes a free one. */
export async function startStack(given: StackConfig, options: StartOptions = {}): Promise<Stack> {
  await using undo = new AsyncDisposableStack();
  undo.use(await lockHome(given.home));
  const began = new Date();
  const config = await decide(given);
  const nodes = nodeIds(config.nodes);
  const children = createChildren(config.home, options);
  const phases = stopPhases(nodes, config.drainMs);
  undo.defer(() => children.stop(phases));
  const api: ApiClient = { url: urlOf(config), token: config.token };
  const limit = limited(children, readyLimitMs, options.cancel);
  await startAll(config, given.redisUrl === undefined, children, options, limit);
  await waitUntilReady(api, nodes, began, limit);
  return stackOf(config, api, nodes, children, undo.move());
}

function stackOf(
  config: DecidedConfig,
  api: ApiClient,
  nodes: readonly string[],
  children: Children,
  resources: AsyncDisposableStack,
): Stack {
  const stopping = new AbortController();
  const stop = (): Promise<void> => {
    stopping.abort(new DormouseError('shutting-down', 'the stack is stopping'));
    return (stopped ??= resources.disposeAsync());
  };
  let stopped: Promise<void> | undefined;
  return {
    url: api.url,
    config,
    nodes,
    processes: children.byName,
    gaveUp: children.gaveUp,
    apply: (template, onState) =>
      applyTemplate(api, template, limited(children, templateLimitMs, stopping.signal), onState),
    stop,
    kill9: async () => {
      await children.kill9();
      await stop();
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function startAll(
  config: DecidedConfig,
  ownRedis: boolean,
  children: Children,
  events: StartOptions,
  limit: AbortSignal,
): Promise<void> {
  if (ownRedis) {
    events.onPhase?.('starting Redis');
    await startRedis(config, children, limit);
  }
  events.onPhase?.(`starting the api and ${config.nodes === 1 ? 'one worker' : `${config.nodes} workers`}`);
  const specs = [apiSpec(config), ...nodeIds(config.nodes).map((id) => workerSpec(config, id))];
  const settled = specs.map((spec) => {
    const environment = { ...spec.environment, ...events.settingsOf?.[spec.name] };
    return { ...spec, environment };
  });
  await Promise.all(settled.map((spec) => children.start(spec)));
}

async function startRedis(config: DecidedConfig, children: Children, limit: AbortSignal): Promise<void> {
  const port = Number(new URL(config.redisUrl).port);
  await mkdir(redisFolder(config.home), { recursive: true });
  await children.start(redisSpec(config.home, port, config.redisSocket));
  while (!(await answersPing(port))) {
    await delay(redisPollMs, undefined, { signal: limit }).catch((cause: unknown) => {
      if (limit.reason instanceof DormouseError) throw limit.reason;
      throw new DormouseError('deadline-exceeded', `Redis did not answer on port ${port}`, { cause });
    });
  }
}

async function decide(given: StackConfig): Promise<DecidedConfig> {
  return {
    ...given,
    port: await decidePort(given.host, given.port),
    ...(given.redisUrl === undefined ? await ownRedis(given.home) : { redisUrl: given.redisUrl }),
  };
}

/** Its port is there for whoever else looks at it. */
async function ownRedis(home: string): Promise<Pick<DecidedConfig, 'redisUrl' | 'redisSocket'>> {
  const redisUrl = `redis://127.0.0.1:${await freePort()}`;
  const redisSocket = redisSocketIn(home);
  return { redisUrl, ...(redisSocket !== undefined && { redisSocket }) };
}

const stopPhases = (nodes: readonly string[], drainMs: number): readonly StopPhase[] => [
  { title: 'suspending actors and stopping the workers', names: nodes, limitMs: drainMs + workerStopLimitMs },
  { title: 'stopping the api', names: ['api'], limitMs: drainMs + apiStopLimitMs },
  { title: 'stopping Redis', names: ['redis'], limitMs: redisStopLimitMs },
];

/** Aborts at the limit, or with the reason when a child gives up: waiting for the rest would be in vain. */
function limited(children: Children, limitMs: number, cancel?: AbortSignal): AbortSignal {
  const failed = new AbortController();
  void children.gaveUp.then((error) => failed.abort(error));
  return AbortSignal.any([failed.signal, AbortSignal.timeout(limitMs), ...(cancel === undefined ? [] : [cancel])]);
}

/** The address to call from this machine; a server that listens on every address is reached on loopback. */
function urlOf({ host, port }: DecidedConfig): string {
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const name = everywhere[host] ?? host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
