/**
 * The clients of a run: each calls actors one after the other, now and then puts one to sleep, wakes one on some node, or
 * looks at one, and writes down what it saw. A client that gets no answer does not know whether its call was counted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DormouseApiError } from '../../sdk/api-error.ts';
import type { DormouseClient } from '../../sdk/client.ts';
import { now, type HistoryEvent } from './history.ts';
import { seededRandom, type Random } from './random.ts';

export interface Clients {
  readonly client: DormouseClient;
  readonly actors: readonly [string, ...string[]];
  readonly nodes: readonly [string, ...string[]];
  readonly history: HistoryEvent[];
  /** Actors that a client is moving to another node. The others leave them alone, or they would wake them where they were. */
  readonly moving: Set<string>;
}

/** Longer than the api keeps a call waiting for a wake. */
const callLimitMs = 20_000;
const moveLimitMs = 30_000;
/** So that most calls come while the actor is up, and some gaps are long enough for it to fall asleep. */
const thinkMs = { usual: 150, long: 2500, longShare: 0.05 } as const;

/**
 * Refusals that come before a call is sent to an actor. Any other failure may have come after it was counted. A wake that
 * failed is told with its own reason, so this list is short of many codes on purpose: `unknown` is always true.
 */
const certainRefusals: ReadonlySet<string> = new Set([
  'no-capacity',
  'too-many-pending',
  'wake-timeout',
  'actor-failed',
]);

/** One client, until it is told to stop. */
export async function runClient(clients: Clients, seed: number, stop: AbortSignal): Promise<void> {
  const random = seededRandom(seed);
  while (!stop.aborted) {
    const actor = random.pick(clients.actors);
    if (!clients.moving.has(actor)) clients.history.push(...(await act(clients, random, actor, stop)));
    const thinks = random.chance(thinkMs.longShare) ? thinkMs.long : thinkMs.usual;
    await delay(random.next() * thinks, undefined, { signal: stop }).catch(() => undefined);
  }
}

async function act(clients: Clients, random: Random, actor: string, stop: AbortSignal): Promise<HistoryEvent[]> {
  const what = random.next();
  if (what < 0.02) return suspend(clients, actor, stop);
  if (what < 0.04) return move(clients, actor, random.pick(clients.nodes), stop);
  if (what < 0.07) return [await resume(clients, actor, random.pick(clients.nodes), stop)];
  if (what < 0.12) return [await look(clients, actor)].flatMap((seen) => seen ?? []);
  return [await count(clients, actor)];
}

/** A POST, because it reaches the actor once at most: a GET may be sent again when a kept connection turns out to be dead. */
export async function count({ client }: Clients, actor: string): Promise<HistoryEvent> {
  const invokedAt = now();
  const span = () => ({ actor, invokedAt, completedAt: now() });
  try {
    const response = await client.actor(actor).fetch('/', { method: 'POST', signal: AbortSignal.timeout(callLimitMs) });
    const text = await response.text();
    const epoch = response.headers.get('dormouse-epoch');
    if (response.status !== 200 || epoch === null) {
      return { kind: 'call', outcome: 'unknown', why: `${response.status} ${text.slice(0, 200)}`, ...span() };
    }
    const { memory, file } = JSON.parse(text) as { memory: number; file: number };
    return { kind: 'call', outcome: 'ok', memory, file, epoch, ...span() };
  } catch (error) {
    return { kind: 'call', outcome: neverSent(error) ? 'fail' : 'unknown', why: wordsOf(error), ...span() };
  }
}

function neverSent(error: unknown): boolean {
  if (!(error instanceof DormouseApiError)) return false;
  return certainRefusals.has(error.code) || (error.code === 'api-unreachable' && /ECONNREFUSED/.test(error.message));
}

/** With a look before and after: a suspend between two looks at one epoch made that activation's state durable. */
async function suspend(clients: Clients, actor: string, stop: AbortSignal): Promise<HistoryEvent[]> {
  const before = await look(clients, actor);
  const invokedAt = now();
  const span = () => ({ kind: 'move', verb: 'suspend', actor, invokedAt, completedAt: now() }) as const;
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(moveLimitMs + 5000)]);
    const operation = await clients.client.actors.suspend(actor, { waitMs: moveLimitMs, signal });
    const outcome = operation.state === 'done' ? 'done' : operation.state === 'failed' ? 'fail' : 'unknown';
    const move = { ...span(), outcome } as const;
    const after = await look(clients, actor);
    const committed = outcome === 'done' && operation.phases?.['commit'] !== undefined;
    const epoch = before?.epoch !== undefined && before.epoch === after?.epoch ? before.epoch : undefined;
    const moved = { ...move, ...(committed && epoch !== undefined && { epoch }) };
    return [before, moved, after].filter((event) => event !== undefined);
  } catch (error) {
    return [{ ...span(), outcome: 'unknown', why: wordsOf(error) }];
  }
}

async function move(clients: Clients, actor: string, node: string, stop: AbortSignal): Promise<HistoryEvent[]> {
  clients.moving.add(actor);
  try {
    const suspended = await suspend(clients, actor, stop);
    const resumed = await resume(clients, actor, node, stop);
    const after = await look(clients, actor);
    return [...suspended, resumed, ...(after === undefined ? [] : [after])];
  } finally {
    clients.moving.delete(actor);
  }
}

async function resume({ client }: Clients, actor: string, node: string, stop: AbortSignal): Promise<HistoryEvent> {
  const invokedAt = now();
  const span = () => ({ kind: 'move', verb: 'resume', actor, invokedAt, completedAt: now() }) as const;
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(moveLimitMs + 5000)]);
    const { state } = await client.actors.resume(actor, { node, waitMs: moveLimitMs, signal });
    return { ...span(), outcome: state === 'done' ? 'done' : state === 'failed' ? 'fail' : 'unknown' };
  } catch (error) {
    return { ...span(), outcome: 'unknown', why: wordsOf(error) };
  }
}

async function look({ client }: Clients, actor: string) {
  const invokedAt = now();
  try {
    const seen = await client.actors.get(actor, { signal: AbortSignal.timeout(5000) });
    const { state, generation, epoch, lastNode: node } = seen;
    return { kind: 'look', actor, invokedAt, completedAt: now(), state, generation, epoch, node } as const;
  } catch {
    return undefined; // nothing was seen
  }
}

export const wordsOf = (error: unknown): string => {
  if (error instanceof DormouseApiError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
};
