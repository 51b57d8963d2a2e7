/**
 * Calls sleeping actors and puts them to sleep again, each lane one after the other: wake → answered → suspended. Over
 * plain kept connections, because the caller shares the processors with what it measures.
 */
import { Pool } from 'undici';
import { phasesOf } from '../../loadtest/server-timing.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export interface WakeSample {
  readonly answeredMs: number;
  readonly queueMs: number;
}

export interface Caller extends AsyncDisposable {
  create(id: string, template: string): Promise<void>;
  wake(id: string): Promise<WakeSample>;
  suspend(id: string): Promise<void>;
}

/** More than lanes ever wait at one api. */
const connections = 512;

/** Each actor has an api of its own, as behind a load balancer that keeps a client where it is. */
export function createCaller(urls: readonly string[]): Caller {
  const pools = urls.map((url) => new Pool(url, { connections }));
  const poolOf = (id: string): Pool => {
    const number = Number(/\d+$/.exec(id)?.[0] ?? 0);
    const pool = pools[number % pools.length];
    if (pool === undefined) throw new Error('no api');
    return pool;
  };
  const ask = async (id: string, method: 'GET' | 'POST', path: string, body?: object) => {
    const headers = { prefer: 'wait=60', ...(body !== undefined && { 'content-type': 'application/json' }) };
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await poolOf(id).request({ method, path, headers, body: text });
    const answer = await response.body.text();
    if (response.statusCode < 300) return { headers: response.headers, answer };
    throw new DormouseError('internal', `${method} ${path}: ${response.statusCode} ${answer}`);
  };
  return {
    async create(id, template) {
      await ask(id, 'POST', '/v1/actors', { id, template });
    },
    async wake(id) {
      const began = performance.now();
      const { headers } = await ask(id, 'GET', `/v1/actors/${id}/invoke/`);
      const phases = phasesOf(String(headers['server-timing'] ?? ''));
      return { answeredMs: performance.now() - began, queueMs: phases['queue'] ?? 0 };
    },
    async suspend(id) {
      await ask(id, 'POST', `/v1/actors/${id}/suspend`);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}

/** Each lane takes the next of its own actors, round and round, until `over`. Returns a sample for each round. */
export async function runLanes(
  caller: Pick<Caller, 'wake' | 'suspend'>,
  lanes: readonly (readonly string[])[],
  over: () => boolean,
): Promise<WakeSample[]> {
  const samples: WakeSample[] = [];
  const run = async (ids: readonly string[]): Promise<void> => {
    for (let round = 0; !over(); round++) {
      const id = ids[round % ids.length] ?? '';
      const sample = await caller.wake(id);
      await caller.suspend(id);
      samples.push(sample);
    }
  };
  await Promise.all(lanes.map(run));
  return samples;
}

/**
 * Calls each sleeping actor once, as many at a time as there are lanes, and leaves it awake. Each takes the next one that
 * nobody has called: were each to keep to its own, the last ones would be called alone.
 */
export async function wakeEach(
  caller: Pick<Caller, 'wake'>,
  lanes: readonly (readonly string[])[],
): Promise<WakeSample[]> {
  const samples: WakeSample[] = [];
  const left = lanes.flat().values();
  const run = async (): Promise<void> => {
    for (const id of left) samples.push(await caller.wake(id));
  };
  await Promise.all(lanes.map(run));
  return samples;
}

export const lanesOf = (count: number, actorsEach: number, prefix: string): string[][] =>
  Array.from({ length: count }, (_, lane) =>
    Array.from({ length: actorsEach }, (_each, index) => `${prefix}-${lane * actorsEach + index}`),
  );
