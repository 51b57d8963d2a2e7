import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import fc from 'fast-check';
import { createNodeLine, lowestPriority } from './node-line.ts';

/** A queue that gives out the lowest priority first, and of equal ones the first that came; as BullMQ does. */
function createQueue() {
  const waiting: { readonly priority: number; readonly name: string }[] = [];
  const lowest = (): number => (waiting.length === 0 ? 0 : Math.min(...waiting.map(({ priority }) => priority)));
  return {
    lowest,
    add: (priority: number, name: string) => void waiting.push({ priority, name }),
    take: () => {
      const first = lowest();
      const index = waiting.findIndex(({ priority }) => priority === first);
      return waiting.splice(index, 1)[0]?.name;
    },
  };
}

const lane = { namespace: 'default', template: 'a' };

function startLine() {
  const queue = createQueue();
  let clock = 0;
  const line = createNodeLine(
    () => Promise.resolve(queue.lowest()),
    () => clock,
  );
  return {
    queue,
    wake: (template: string, name = template, namespace = 'default') =>
      queue.add(line.wake({ namespace, template }), name),
    suspend: (name: string) => queue.add(line.suspend(), name),
    /** Time passes, so that the next one to be sent has the queue looked at again. */
    pass: async (ms = 60) => {
      clock += ms;
      line.suspend();
      await turnOfLoop();
    },
  };
}

test('a lone wake is next, a suspend comes behind it, and then the rest of a burst in its order', () => {
  const { queue, wake, suspend } = startLine();
  for (const name of ['b1', 'b2', 'b3']) wake('burst', name);
  suspend('asleep');
  wake('lone');
  const order = Array.from({ length: 5 }, () => queue.take());
  assert.deepEqual(order, ['b1', 'lone', 'asleep', 'b2', 'b3']);
});

test('a lane that goes on and on does not overtake its own that wait', async () => {
  const { queue, wake, pass } = startLine();
  for (let number = 0; number < 100; number++) wake('burst', String(number));
  const taken: string[] = [];
  for (let number = 100; number < 300; number++) {
    taken.push(queue.take() ?? '');
    await pass();
    wake('burst', String(number));
  }
  assert.deepEqual(
    taken,
    Array.from({ length: 200 }, (_, number) => String(number)),
  );
});

test('a newcomer begins at the turn that the queue has come to, neither before it nor at the end', async () => {
  const { queue, wake, pass } = startLine();
  for (let number = 0; number < 100; number++) wake('old', `old-${number}`);
  for (let number = 0; number < 50; number++) queue.take();
  await pass();
  for (let number = 0; number < 3; number++) wake('new', `new-${number}`);
  const next = Array.from({ length: 6 }, () => queue.take());
  assert.deepEqual(next, ['new-0', 'old-50', 'old-51', 'new-1', 'old-52', 'new-2']);
});

test('a namespace gets no more turns by many templates', async () => {
  const { queue, wake, pass } = startLine();
  for (let number = 0; number < 400; number++) wake(`template-${number}`, 'many', 'large');
  for (let number = 0; number < 3; number++) wake('one', 'few', 'small');
  const first = Array.from({ length: 20 }, () => queue.take());
  assert.equal(first.filter((name) => name === 'few').length, 3);
  await pass();
  for (let number = 0; number < 8; number++) wake(`template-${number}`, 'many again', 'large');
  wake('one', 'few', 'small');
  const next = Array.from({ length: 10 }, () => queue.take());
  assert.ok(next.includes('few'));
  assert.ok(!next.includes('many again'), 'its lanes that came round before the others had their first turn');
});

test('one call after the other does not wait each time for what is to sleep, nor does that wait for ever', async () => {
  const { queue, wake, suspend, pass } = startLine();
  for (let number = 0; number < 30; number++) wake('burst', `b${number}`);
  queue.take();
  for (const name of ['s1', 's2']) suspend(name);
  const taken: string[] = [];
  for (let number = 1; number <= 6; number++) {
    await pass();
    wake('lone', `lone-${number}`);
    taken.push(queue.take() ?? '');
  }
  assert.deepEqual(taken, ['lone-1', 'lone-2', 'lone-3', 'lone-4', 's1', 's2']);
  await pass();
  assert.deepEqual(
    Array.from({ length: 4 }, () => queue.take()),
    ['lone-5', 'b1', 'b2', 'lone-6'],
  );
});

test('what puts actors to sleep does not hold up the turn that others begin at', async () => {
  const { queue, wake, suspend, pass } = startLine();
  for (let number = 0; number < 8; number++) wake('burst', `b${number}`);
  const taken: string[] = [];
  for (let number = 0; number < 4; number++) {
    taken.push(queue.take() ?? '');
    suspend(`s${number}`); // there is always one that waits
    await pass();
  }
  assert.deepEqual(taken, ['b0', 's0', 'b1', 's1']);
});

test('an empty queue begins anew, and an old look counts for nothing', async () => {
  const { queue, wake, pass } = startLine();
  for (let number = 0; number < 50; number++) wake('burst');
  while (queue.lowest() > 0) queue.take();
  await pass();
  wake('burst');
  assert.equal(queue.lowest(), 1);
  for (let number = 0; number < 50; number++) wake('burst');
  for (let number = 0; number < 20; number++) queue.take();
  await pass();
  await pass(5000);
  queue.take();
  wake('lone');
  assert.equal(queue.take(), 'lone');
});

test('a queue that cannot be looked at takes wakes all the same, and priorities stay within what it can hold', async () => {
  const line = createNodeLine(() => Promise.reject(new Error('no Redis')));
  assert.equal(line.wake(lane), 1);
  await turnOfLoop();
  assert.equal(line.wake(lane), 5);
  const full = createNodeLine(
    () => Promise.resolve(lowestPriority),
    () => 0,
  );
  full.suspend();
  await turnOfLoop();
  assert.equal(full.wake(lane), lowestPriority);
  assert.equal(full.wake(lane), lowestPriority);
  assert.equal(full.suspend(), lowestPriority);
});

test('whatever lanes do, each that waits is served within one round of the others per wake before it in its own lane', async () => {
  const arrivals = fc.array(fc.constantFrom('a', 'b', 'c', 'take'), { minLength: 1, maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(arrivals, async (events) => {
      const { queue, wake, pass } = startLine();
      const waits = new Map<string, { readonly ahead: number; served: number }>();
      const waiting = new Map<string, number>();
      for (const [index, event] of events.entries()) {
        if (event === 'take') {
          const name = queue.take();
          if (name === undefined) continue;
          const [lane = ''] = name.split('-');
          waiting.set(lane, (waiting.get(lane) ?? 0) - 1);
          waits.delete(name);
          for (const each of waits.values()) each.served++;
          // Three lanes: of each of the others at most one more than of its own goes before it.
          for (const [who, { ahead, served }] of waits)
            assert.ok(served <= 3 * (ahead + 1), `${who} waited for ${served}`);
        } else {
          const ahead = waiting.get(event) ?? 0;
          waiting.set(event, ahead + 1);
          waits.set(`${event}-${index}`, { ahead, served: 0 });
          wake(event, `${event}-${index}`);
        }
        await pass();
      }
    }),
  );
});
