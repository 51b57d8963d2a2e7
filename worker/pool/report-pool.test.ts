import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startSingle } from '../../shared/registry/redis/local-redis.ts';
import { readPool, type PoolShare } from '../../shared/registry/pool-report.ts';
import { openRedisRegistry } from '../../shared/registry/redis/driver.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { until } from '../../shared/process/until.ts';
import { reportPool } from './report-pool.ts';

const log = createLogger('silent', {});

suite('what a node says of its pool', () => {
  test('is what it has, of its present boot alone, and gone with it', async (context) => {
    await using redis = await startSingle();
    const registry = openRedisRegistry(redis.url, log);
    context.after(() => registry.close());
    const node = { id: 'node-1', bootId: 'this' };
    let shares: PoolShare[] = [{ template: 'counter', revision: 'r', ready: 1, making: 1 }];
    const known = () => readPool(registry, node);
    const untilKnown = (count: number): Promise<void> =>
      until(async () => (await known()).length === count, {
        signal: AbortSignal.timeout(10_000),
        everyMs: 5,
        what: `${count} templates to be known`,
      });
    {
      await using _report = reportPool({ pool: { shares: () => shares }, registry, node, log, everyMs: 5 });
      await untilKnown(1);
      assert.deepEqual(await known(), shares);
      assert.deepEqual(await readPool(registry, { ...node, bootId: 'an earlier one' }), []);
      shares = [];
      await untilKnown(0);
      shares = [{ template: 'other', revision: 'r', ready: 2, making: 0 }];
      await untilKnown(1);
    }
    assert.deepEqual(await known(), []);
  });
});
