/** Calls to the counter and what it answers. */
import assert from 'node:assert/strict';
import type { DormouseClient } from '../sdk/client.ts';

export interface Count {
  readonly memory: number;
  readonly file: number;
  readonly nonce: string;
  readonly back?: Count;
}

export interface CountAnswer {
  readonly count: Count;
  readonly start: string | null;
  readonly timing: string | null;
}

/** One counted call; fails unless it is answered with 200. */
export async function callCounter(client: DormouseClient, id: string): Promise<CountAnswer> {
  const response = await client.actor(id).fetch('/', { signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { headers } = response;
  return {
    count: JSON.parse(text) as Count,
    start: headers.get('dormouse-start'),
    timing: headers.get('server-timing'),
  };
}

export async function callTimes(client: DormouseClient, id: string, times: number): Promise<CountAnswer[]> {
  const answers: CountAnswer[] = [];
  for (let call = 0; call < times; call++) answers.push(await callCounter(client, id));
  return answers;
}

/** A GET of a path that answers JSON. */
export async function getJson(client: DormouseClient, id: string, path: string): Promise<Record<string, unknown>> {
  const response = await client.actor(id).fetch(path, { signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Record<string, unknown>;
}

export async function suspend(client: DormouseClient, id: string): Promise<void> {
  const operation = await client.actors.suspend(id, { waitMs: 60_000 });
  assert.equal(operation.state, 'done', JSON.stringify(operation.error));
  assert.equal((await client.actors.get(id)).state, 'suspended');
}

export async function resumeOn(client: DormouseClient, id: string, node: string): Promise<void> {
  const operation = await client.actors.resume(id, { node, waitMs: 60_000 });
  assert.equal(operation.state, 'done', JSON.stringify(operation.error));
  assert.equal((await client.actors.get(id)).node, node);
}

/** The node that does not hold the actor now, or did not last. */
export const otherNode = (node: string | undefined): string => (node === 'node-1' ? 'node-2' : 'node-1');
