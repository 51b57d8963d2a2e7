/** The pool itself, over sandboxes that are only counted; real ones wake in e2e/pool.test.ts. */
import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { until } from '../../shared/process/until.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import type { PreparedSandbox } from '../sandbox/sandbox.ts';
import { createSandboxPool, type PoolOptions, type SandboxPool } from './pool.ts';

const mebibyte = 1024 * 1024;
const log = createLogger('silent', {});
const templateOf = (revision: string): TemplateDescriptor =>
  ({ revision, spec: { name: revision, memoryMiB: 256 } }) as TemplateDescriptor;
const counter = templateOf('counter');

interface Made {
  readonly revision: string;
  ended: boolean;
  die(): void;
}

interface World extends AsyncDisposable {
  readonly pool: SandboxPool;
  readonly made: Made[];
  ready(count: number): Promise<void>;
}

function world(changes: Partial<PoolOptions> = {}): World {
  const made: Made[] = [];
  const build = (template: TemplateDescriptor): Promise<PreparedSandbox> => {
    const { promise: exited, resolve } = Promise.withResolvers<string>();
    const one: Made = { revision: template.revision, ended: false, die: () => resolve('killed') };
    made.push(one);
    const end = (): Promise<void> => Promise.resolve(void (one.ended = true));
    const restore = (): Promise<never> => Promise.reject(new Error('nothing runs here'));
    return Promise.resolve({ exited, memoryBytes: 64 * mebibyte, restore, [Symbol.asyncDispose]: end });
  };
  const room = (): number => 1024 * mebibyte;
  const pool = createSandboxPool({ size: 4, build, room, isCurrent: () => Promise.resolve(true), log, ...changes });
  return {
    pool,
    made,
    ready: (count) =>
      until(() => pool.counts.ready === count, {
        signal: AbortSignal.timeout(10_000),
        everyMs: 5,
        what: `${count} in waiting instead of ${pool.counts.ready}`,
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(pool[Symbol.asyncDispose]()),
  };
}

/** A wake from its beginning to its end. */
function wake({ pool }: World, template = counter): PreparedSandbox | undefined {
  using _wake = pool.beginWake(template.spec.memoryMiB);
  return pool.take(template);
}

/** What the pool is told from here on happens while its clock stands still, until `quietPasses`. */
const holdClock = ({ mock }: TestContext): void => mock.timers.enable({ apis: ['setTimeout'] });

/** More than the quiet that the pool keeps after a wake, and all that comes of it. */
async function quietPasses({ mock }: TestContext): Promise<void> {
  mock.timers.tick(1000);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  mock.timers.reset();
}

suite('sandboxes in waiting', () => {
  test('the first wake of a template misses, the next one hits, and what it took is made again', async () => {
    await using at = world();
    assert.equal(wake(at), undefined);
    await at.ready(1);
    assert.ok(wake(at));
    assert.deepEqual(at.pool.counts, { ready: 0, hits: 1, misses: 1 });
    await at.ready(1);
    assert.deepEqual(at.pool.shares(), [{ template: 'counter', revision: 'counter', ready: 1, making: 0 }]);
    assert.equal(at.made.length, 2);
    assert.equal(at.made[0]?.ended, false, 'what was taken is its taker’s');
  });

  test('a template that is only expected has one too', async () => {
    await using at = world();
    at.pool.expect(counter);
    await at.ready(1);
    assert.ok(wake(at));
  });

  test('misses that come in a burst make it larger, up to its size', async () => {
    await using at = world({ size: 3 });
    for (let call = 0; call < 5; call++) wake(at);
    await at.ready(3);
  });

  test('nothing is made while a wake is under way, or somebody holds it off', async (t) => {
    await using at = world();
    const work = [at.pool.beginWake(256), at.pool.beginWake(256), at.pool.holdOff()];
    at.pool.take(counter);
    for (const one of work) {
      assert.equal(at.made.length, 0);
      holdClock(t);
      one[Symbol.dispose]();
      await quietPasses(t);
    }
    await at.ready(1);
  });

  test('one whose process ends is dropped, and the next wake misses', async () => {
    await using at = world();
    wake(at);
    await at.ready(1);
    at.made[0]?.die();
    await at.ready(0);
    assert.equal(at.made[0]?.ended, true);
    assert.equal(wake(at), undefined);
  });

  test('actors come first: a wake that needs the memory gets what waits given back', async () => {
    let promisedMiB = 0;
    await using at = world({ room: (wakesMiB) => (600 - promisedMiB - wakesMiB) * mebibyte });
    wake(at, templateOf('old'));
    await at.ready(1);
    wake(at, templateOf('young'));
    await at.ready(2);
    promisedMiB = 512 - 256;
    wake(at, templateOf('third'));
    assert.deepEqual(
      at.made.map(({ revision, ended }) => [revision, ended]),
      [
        ['old', true],
        ['young', false],
      ],
    );
  });

  test('nothing is made without room, nor with a size of 0', async (t) => {
    for (const changes of [{ room: () => 100 * mebibyte }, { size: 0 }]) {
      await using at = world(changes);
      holdClock(t);
      wake(at);
      await quietPasses(t);
      assert.equal(at.made.length, 0);
    }
  });

  test('a drain ends all, forgets all demand, and also what was being made', async (t) => {
    const gate = Promise.withResolvers<undefined>();
    await using plain = world();
    let slow = false;
    await using at = world({
      async build(template, signal) {
        if (slow) await gate.promise;
        signal.throwIfAborted();
        plain.pool.expect(template);
        await plain.ready(1);
        const sandbox = plain.pool.take(template);
        assert.ok(sandbox);
        return sandbox;
      },
    });
    wake(at);
    await at.ready(1);
    slow = true;
    wake(at, templateOf('other'));
    const drained = at.pool.drain();
    gate.resolve(undefined);
    await drained;
    assert.equal(at.pool.counts.ready, 0);
    assert.equal(plain.made[0]?.ended, true);
    holdClock(t);
    await at.pool.drain();
    await quietPasses(t);
    assert.equal(at.pool.counts.ready, 0);
  });

  test('a template that cannot be made ready is left alone until its next wake', async (t) => {
    let attempts = 0;
    const build = (): Promise<never> => Promise.reject(new Error(`attempt ${++attempts}`));
    await using at = world({ build });
    wake(at);
    await until(() => attempts === 1, { signal: AbortSignal.timeout(5000), everyMs: 5, what: 'the first attempt' });
    holdClock(t);
    await quietPasses(t);
    assert.equal(attempts, 1);
    wake(at);
    await until(() => attempts === 2, { signal: AbortSignal.timeout(5000), everyMs: 5, what: 'the second attempt' });
  });
});
