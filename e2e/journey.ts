/**
 * The main journey, the same for every store and every template: an actor is created without a boot, counts, sleeps, wakes
 * on the other node with memory and files as they were, again and again.
 */
import assert from 'node:assert/strict';
import { callTimes, otherNode, resumeOn, suspend, type Count } from './counter-calls.ts';
import type { Platform } from './platform.ts';

const callsPerGeneration = 5;

export interface Journey {
  readonly template: string;
  readonly actor: string;
  readonly generations: number;
}

export async function travel({ client }: Platform, { template, actor, generations }: Journey): Promise<Count> {
  const created = await client.actors.create({ id: actor, template });
  assert.equal(created.state, 'suspended', 'creating an actor boots nothing');
  assert.equal(created.generation, 0);

  const [first, ...more] = await callTimes(client, actor, callsPerGeneration);
  assert.ok(first);
  assert.equal(first.start, 'warm', 'the first start clones the golden');
  assert.match(first.timing ?? '', /queue;.*total;/s);
  assert.deepEqual(new Set(more.map((answer) => answer.start)), new Set(['hot']));
  let last = more.at(-1)?.count ?? first.count;
  assert.equal(last.memory, callsPerGeneration);

  for (let generation = 1; generation <= generations; generation++) {
    const { node } = await client.actors.get(actor);
    await suspend(client, actor);
    assert.equal((await client.actors.get(actor)).generation, generation);
    await resumeOn(client, actor, otherNode(node));
    const { lastStart } = await client.actors.get(actor);
    assert.equal(lastStart?.kind, 'warm');
    const answers = await callTimes(client, actor, callsPerGeneration);
    for (const { count } of answers) {
      expectNext(last, count);
      last = count;
    }
  }
  return last;
}

/** Both counts go on by one, in every container, and the nonce, which lives in memory alone, is the same. */
function expectNext(before: Count, now: Count): void {
  assert.equal(now.memory, before.memory + 1);
  assert.equal(now.file, before.file + 1);
  assert.equal(now.nonce, before.nonce);
  if (before.back !== undefined) {
    assert.ok(now.back);
    expectNext(before.back, now.back);
  }
}
