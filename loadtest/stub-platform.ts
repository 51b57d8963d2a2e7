/**
 * For tests only: enough of the API, in memory, to run the load test's own program against. Its starts take no time and
 * its figures mean nothing.
 */
import { problem, startStubApi, type StubAnswer, type StubApi, type StubRequest } from '../sdk/stub-api.ts';

interface StubActor {
  readonly template: string;
  readonly coldStart: boolean;
  state: 'suspended' | 'running';
  node: string | undefined;
  /** How a running actor came to run; told with the next answer. */
  start: 'cold' | 'warm' | undefined;
  used: boolean;
}

export interface StubPlatform extends StubApi {
  readonly actors: ReadonlyMap<string, StubActor>;
  readonly templates: ReadonlySet<string>;
}

export interface StubBehaviour {
  readonly nodes?: number;
  /** Overrides the answer; `handle` carries the request out all the same. */
  readonly intercept?: (request: StubRequest, handle: () => StubAnswer) => StubAnswer | Promise<StubAnswer> | undefined;
}

export async function startStubPlatform(behaviour: StubBehaviour = {}): Promise<StubPlatform> {
  const actors = new Map<string, StubActor>();
  const templates = new Set(['counter']);
  const nodes = Array.from({ length: behaviour.nodes ?? 2 }, (_, index) => `node-${index + 1}`);
  const handle = (request: StubRequest): StubAnswer => answer(request, actors, templates, nodes);
  const api = await startStubApi((request) => behaviour.intercept?.(request, () => handle(request)) ?? handle(request));
  return Object.assign(api, { actors, templates });
}

function answer(
  { line, body }: StubRequest,
  actors: Map<string, StubActor>,
  templates: Set<string>,
  nodes: readonly string[],
): StubAnswer {
  const [, method = '', resource = '', name = '', verb = ''] =
    /^(\w+) (?:\/v1)?\/([a-z.]+)\/?([^/?]*)\/?([a-z]*)/.exec(line) ?? [];
  const sent = (body === '' ? {} : JSON.parse(body)) as Record<string, string | boolean>;
  if (resource === 'readyz') return { body: { status: 'ready' } };
  if (resource === 'openapi.json') return { body: { info: { version: '9.9.9' } } };
  if (resource === 'nodes') return { body: { items: nodes.map(stubNode) } };
  if (resource === 'operations') return { body: { id: name, state: 'done' } };
  if (resource === 'templates') return templateAnswer(method, name || String(sent['name']), actors, templates);
  return actorAnswer(method, name || String(sent['id']), verb, sent, actors, nodes);
}

const stubNode = (id: string) => ({
  id,
  state: 'ready',
  leaseMs: 5000,
  usedSlots: 1,
  usedMemoryMiB: 256,
  memoryMiB: 1024,
  runtime: { accelerator: 'tcg', vmm: 'qemu', vmmVersion: '1', kernel: '2' },
});

function templateAnswer(
  method: string,
  name: string,
  actors: ReadonlyMap<string, StubActor>,
  templates: Set<string>,
): StubAnswer {
  if (method === 'POST') templates.add(name);
  else if (!templates.has(name)) return problem(404, 'template-not-found');
  if (method !== 'DELETE') return { body: { name, state: 'ready' } };
  if ([...actors.values()].some((actor) => actor.template === name)) return problem(409, 'template-in-use');
  templates.delete(name);
  return { status: 202 };
}

function actorAnswer(
  method: string,
  id: string,
  verb: string,
  sent: Readonly<Record<string, string | boolean>>,
  actors: Map<string, StubActor>,
  nodes: readonly string[],
): StubAnswer {
  if (method === 'POST' && verb === '') {
    const facts = { template: String(sent['template']), coldStart: sent['coldStart'] === true };
    actors.set(id, { ...facts, state: 'suspended', node: undefined, start: undefined, used: false });
  }
  const actor = actors.get(id);
  if (actor === undefined) return problem(404, 'actor-not-found');
  if (method === 'DELETE') actors.delete(id);
  if (verb === 'suspend') Object.assign(actor, { state: 'suspended', node: undefined });
  if (verb === 'resume') wake(actor, String(sent['node']));
  if (verb === 'suspend' || verb === 'resume')
    return { body: { id: 'operation-1', kind: verb, target: id, state: 'done' } };
  if (verb !== 'invoke') return { body: { ...actor, id, sizes: { shippedBytes: 1_048_576 } } };
  wake(actor, nodes[0]);
  const headers = {
    'dormouse-start': actor.start ?? 'hot',
    'server-timing': 'queue;dur=0.01, load;dur=0.02, total;dur=0.04',
  };
  actor.start = undefined;
  return { headers, body: 'ok' };
}

function wake(actor: StubActor, node: string | undefined): void {
  if (actor.state === 'running') return;
  Object.assign(actor, { state: 'running', node, start: actor.coldStart && !actor.used ? 'cold' : 'warm', used: true });
}
