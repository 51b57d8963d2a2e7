import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Worker } from 'bullmq';
import { connectBlocking } from '../registry/redis/connection.ts';
import { startSingle } from '../registry/redis/local-redis.ts';
import { createLogger } from '../telemetry/logger.ts';
import { queueName, queuePrefix, type Job } from './contracts.ts';
import { openJobSender } from './queues.ts';

const log = createLogger('silent', {});

const jobOf = (actorId: string, kind: 'resume' | 'suspend'): Job => ({
  ...{ kind, actorId, epoch: '1.1', operationId: randomUUID() },
  ...{ requestedAt: new Date().toISOString(), deadlineAt: new Date(Date.now() + 60_000).toISOString() },
});
const laneOf = (template: string) => ({ namespace: 'default', template });
const resumeOf = (actorId: string): Job => jobOf(actorId, 'resume');

test('a node takes jobs without a lane first, then lanes in turns, and suspends behind the first turn', async () => {
  await using redis = await startSingle();
  const sender = openJobSender(redis.url, log);
  for (const number of [1, 2, 3, 4]) await sender.send('node-1', resumeOf(`burst-${number}`), laneOf('burst'));
  await sender.send('node-1', jobOf('asleep', 'suspend'));
  await sender.send('node-1', resumeOf('lone'), laneOf('lone'));
  await sender.send('node-1', resumeOf('no-lane'));
  assert.equal(await sender.waiting('node-1'), 7);
  const connection = connectBlocking(redis.url, log);
  const seen: string[] = [];
  const all = Promise.withResolvers<undefined>();
  const take = ({ data }: { data: Job }): Promise<void> => {
    if ('actorId' in data) seen.push(data.actorId);
    if (seen.length === 7) all.resolve(undefined);
    return Promise.resolve();
  };
  const worker = new Worker<Job>(queueName('node-1'), take, { connection, prefix: queuePrefix('node-1') });
  await all.promise;
  assert.deepEqual(seen, ['no-lane', 'burst-1', 'lone', 'asleep', 'burst-2', 'burst-3', 'burst-4']);
  await worker.close();
  await sender[Symbol.asyncDispose]();
  connection.disconnect();
});
