import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { Worker } from 'bullmq';
import { Cluster } from 'ioredis';
import { queueName, queuePrefix, type Job } from '../../jobs/contracts.ts';
import { openJobSender } from '../../jobs/queues.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { registryConformance } from './conformance.ts';
import { connectBlocking, connectRedis } from './connection.ts';
import { openRedisRegistry } from './driver.ts';
import { redisKeys } from './keys.ts';
import { startCluster, type LocalCluster } from './local-redis.ts';

const log = createLogger('silent', {});

registryConformance('registry on a real Redis Cluster of three masters', startCluster);

const jobOf = (actorId: string): Job => ({
  ...{ kind: 'resume', actorId, epoch: '1.1', operationId: randomUUID() },
  ...{ requestedAt: new Date().toISOString(), deadlineAt: new Date(Date.now() + 60_000).toISOString() },
});

suite('on a Redis Cluster', () => {
  let cluster: LocalCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  test('jobs reach their nodes, whose queues lie on different masters', async () => {
    const nodes = ['node-1', 'node-2', 'node-3', 'node-4'];
    // Ended whatever happens: what is still connected to a cluster that has gone tries for ever.
    await using resources = new AsyncDisposableStack();
    const sender = resources.use(openJobSender(cluster.url, log));
    const connection = connectBlocking(cluster.url, log);
    resources.defer(() => connection.disconnect());
    // Before anybody works: a job that is done is forgotten, and may be sent again.
    const sent = jobOf('of-node-1');
    for (const node of nodes) await sender.send(node, node === 'node-1' ? sent : jobOf(`of-${node}`));
    await sender.send('node-1', sent); // the same operation: one job
    const done = new Map<string, string[]>(nodes.map((node) => [node, []]));
    const all = Promise.withResolvers<undefined>();
    const limit = AbortSignal.timeout(20_000);
    limit.addEventListener('abort', () => all.reject(new Error('not every node got its job')));
    for (const node of nodes) {
      const work = (job: { data: Job }): Promise<void> => {
        const { data } = job;
        if (data.kind === 'resume') done.get(node)?.push(data.actorId);
        if ([...done.values()].flat().length === nodes.length) all.resolve(undefined);
        return Promise.resolve();
      };
      const worker = new Worker<Job>(queueName(node), work, { connection, prefix: queuePrefix(node) });
      worker.on('error', () => undefined); // it tries again, and the limit above ends it
      resources.defer(() => worker.close(true));
    }
    await all.promise;
    assert.deepEqual(
      [...done.values()],
      nodes.map((node) => [`of-${node}`]),
    );
    await sender.withdraw('node-1', randomUUID());
    const masters = new Set(await Promise.all(nodes.map((node) => masterOf(connection, `${queuePrefix(node)}:x`))));
    assert.ok(masters.size > 1, 'all queues lie on one master');
  });

  test('a master that lost the registry begins a new life', async () => {
    await using resources = new AsyncDisposableStack();
    const registry = openRedisRegistry(cluster.url, log);
    resources.defer(() => registry.close());
    assert.equal(await registry.beginLife(5, 0), 5);
    assert.equal((await registry.life()).current, true);
    const connection = connectRedis(cluster.url, log);
    const master = await masterOf(connection, redisKeys.incarnation).finally(() => {
      connection.disconnect();
    });
    await cluster.restart(master);
    assert.equal((await registry.life()).current, false);
    assert.equal(await registry.mayActivate('5.1'), false);
    assert.equal(await registry.beginLife(6, 0), 6);
    assert.equal((await registry.life()).current, true);
  });
});

/** Port of the master that a key lies on. */
async function masterOf(connection: ReturnType<typeof connectRedis>, key: string): Promise<number> {
  assert.ok(connection instanceof Cluster);
  const slot = await connection.cluster('KEYSLOT', key);
  for (const [first, last, master] of await connection.cluster('SLOTS')) {
    if (slot >= first && slot <= last) return (master as unknown as [string, number])[1];
  }
  return assert.fail(`nobody has the slot of ${key}`);
}
