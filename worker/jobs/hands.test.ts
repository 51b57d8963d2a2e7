import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import { Queue } from 'bullmq';
import { queueName, queuePrefix, type Job } from '../../shared/jobs/contracts.ts';
import { openJobSender } from '../../shared/jobs/queues.ts';
import { until } from '../../shared/process/until.ts';
import { connectRedis } from '../../shared/registry/redis/connection.ts';
import { startSingle } from '../../shared/registry/redis/local-redis.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { startHands } from './hands.ts';

const log = createLogger('silent', {});
const nodeId = 'node-1';
const options = { timeout: 60_000 };

const jobOf = (actorId: string, kind: 'resume' | 'suspend' = 'resume'): Job => ({
  ...{ kind, actorId, epoch: '1.1', operationId: randomUUID() },
  ...{ requestedAt: new Date().toISOString(), deadlineAt: new Date(Date.now() + 60_000).toISOString() },
});
const laneOf = (template: string) => ({ namespace: 'default', template });

/** A node with two hands, whose jobs last until they are let go. */
async function startNode() {
  await using undo = new AsyncDisposableStack();
  const redis = undo.use(await startSingle());
  const sender = undo.use(openJobSender(redis.url, log));
  let lookCount = 0;
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<undefined>>();
  const hands = startHands({
    ...{ nodeId, redisUrl: redis.url, hands: 2, log },
    sender: {
      next(id) {
        lookCount++;
        return sender.next(id);
      },
    },
    async perform(job) {
      const name = 'actorId' in job ? job.actorId : job.kind;
      const end = Promise.withResolvers<undefined>();
      ends.set(name, end);
      begun.push(name);
      await end.promise;
    },
  });
  undo.use(hands);
  const letAllGo = (): void => {
    for (const end of ends.values()) end.resolve(undefined);
  };
  undo.defer(letAllGo);
  const connection = connectRedis(redis.url, log);
  undo.defer(() => connection.disconnect());
  const queue = new Queue(queueName(nodeId), { connection, prefix: queuePrefix(nodeId) });
  queue.on('error', () => undefined); // until Redis is there
  undo.defer(() => queue.close());
  const wait = (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> =>
    until(isSo, { signal: AbortSignal.timeout(20_000), everyMs: 5, what });
  const resources = undo.move();
  return {
    ...{ sender, hands, begun, ends, letAllGo, queue, wait },
    seen: (count: number) => wait(`${count} jobs begun`, () => begun.length >= count),
    /** From now on. */
    looks: (count: number) => {
      const before = lookCount;
      return wait(`${count} looks at the queue`, () => lookCount >= before + count);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

void suite('hands', options, () => {
  test('a lone wake is begun while every hand is at work for a burst, and nothing else is', async () => {
    await using node = await startNode();
    const { sender, begun, seen, looks, ends, letAllGo, queue, wait } = node;
    for (const number of [1, 2, 3]) await sender.send(nodeId, jobOf(`burst-${number}`), laneOf('burst'));
    await seen(2);
    await looks(5);
    assert.deepEqual(begun, ['burst-1', 'burst-2'], 'a third of the burst is not begun beside them');
    await sender.send(nodeId, jobOf('lone-1'), laneOf('lone'));
    await seen(3);
    assert.equal(begun[2], 'lone-1');
    await sender.send(nodeId, jobOf('other-1'), laneOf('other'));
    await sender.send(nodeId, jobOf('lone-2'), laneOf('lone'));
    ends.get('burst-1')?.resolve(undefined);
    await seen(4);
    assert.equal(begun[3], 'other-1', 'the spare hand does one at a time, and a free hand takes what is next');
    for (const count of [5, 6]) {
      letAllGo();
      await seen(count);
    }
    letAllGo();
    const states = ['waiting', 'prioritized', 'active', 'completed', 'failed'] as const;
    await wait('an empty queue', async () => (await queue.getJobCountByTypes(...states)) === 0);
    assert.deepEqual(begun.toSorted(), ['burst-1', 'burst-2', 'burst-3', 'lone-1', 'lone-2', 'other-1']);
  });

  test('a lone wake that fails is told and forgotten, and the spare hand is free for the next', async () => {
    await using node = await startNode();
    const { sender, begun, seen, ends, queue } = node;
    for (const number of [1, 2, 3]) await sender.send(nodeId, jobOf(`burst-${number}`), laneOf('burst'));
    await seen(2);
    await sender.send(nodeId, jobOf('lone-1'), laneOf('lone'));
    await seen(3);
    ends.get('lone-1')?.reject(new Error('no virtual machine'));
    await sender.send(nodeId, jobOf('lone-2'), laneOf('lone'));
    await seen(4);
    assert.deepEqual(begun.slice(2), ['lone-1', 'lone-2']);
    assert.equal(await queue.getFailedCount(), 0);
    assert.equal(await queue.getActiveCount(), 3);
  });

  test('what is before all lanes is left to the hands: it may take minutes', async () => {
    await using node = await startNode();
    const { sender, begun, seen, looks } = node;
    for (const number of [1, 2]) await sender.send(nodeId, jobOf(`burst-${number}`), laneOf('burst'));
    await seen(2);
    await sender.send(nodeId, jobOf('no-lane'));
    await sender.send(nodeId, jobOf('lone'), laneOf('lone'));
    await sender.send(nodeId, jobOf('asleep', 'suspend'));
    await looks(5);
    assert.deepEqual(begun, ['burst-1', 'burst-2']);
    assert.equal(((await sender.next(nodeId)) as { actorId?: string }).actorId, 'no-lane');
  });

  test('stopping waits for the job of the spare hand, and takes no other', async () => {
    await using node = await startNode();
    const { sender, hands, begun, seen, ends, letAllGo } = node;
    for (const number of [1, 2, 3]) await sender.send(nodeId, jobOf(`burst-${number}`), laneOf('burst'));
    await seen(2);
    await sender.send(nodeId, jobOf('lone'), laneOf('lone'));
    await seen(3);
    let isOver = false;
    const stopped = hands.stop().then(() => (isOver = true));
    ends.get('burst-1')?.resolve(undefined);
    ends.get('burst-2')?.resolve(undefined);
    await sender.next(nodeId);
    assert.equal(isOver, false);
    letAllGo();
    await stopped;
    assert.deepEqual(begun, ['burst-1', 'burst-2', 'lone']);
    assert.equal(await sender.waiting(nodeId), 1);
  });
});
