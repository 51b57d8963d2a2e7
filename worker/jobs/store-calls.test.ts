/** Each call to a store may cost a round trip over a continent, and an actor or its caller waits: here they are counted. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { until } from '../../shared/process/until.ts';
import { readHead } from '../../shared/snapshot/actor-log.ts';
import { memoryChain } from '../../shared/snapshot/manifest.ts';
import { revisionOf } from '../../shared/template/template-spec.ts';
import type { NodeContext } from '../node-context.ts';
import { createGoldenCache } from '../snapshot/golden-cache.ts';
import { createKnownLogs } from '../snapshot/known-logs.ts';
import { createPartCache, type PartCache } from '../snapshot/part-cache.ts';
import { performJob } from './consume.ts';
import { createJobsInHand } from './job-in-hand.ts';
import { newPlan, type FaultPlan } from './stand-in/faults.ts';
import { ask, jobOf, preparing, sleeping, specOf, standInNode, startGrounds, type Grounds } from './stand-in/node.ts';

suite('calls to the store', () => {
  let grounds: Grounds;
  let plan: FaultPlan;
  let context: NodeContext;
  let cache: PartCache;
  before(async () => {
    grounds = await startGrounds();
    plan = newPlan();
    const node = await standInNode(grounds, plan);
    cache = await createPartCache({ folder: path.join(grounds.folder, 'parts'), maxBytes: 1_000_000 });
    const blobs = { ...node.context.blobs, cache };
    const folders = {
      diskFolder: path.join(grounds.folder, 'disk'),
      memoryFolder: path.join(grounds.folder, 'memory'),
    };
    const goldens = createGoldenCache({ ...folders, blobs, sandboxes: node.context.sandboxes });
    context = { ...node.context, blobs, goldens };
    await preparing(grounds, 'counter');
    const subject = { template: 'counter', revision: revisionOf(specOf('counter')) };
    await performJob(context, createJobsInHand(), jobOf('prepare-template', subject));
    await sleeping(grounds, 'alice', 'counter');
  });
  after(async () => {
    await cache[Symbol.asyncDispose]();
    await grounds[Symbol.asyncDispose]();
  });

  /** The calls that a job made, those included that it leaves to themselves. */
  async function callsOf(request: 'resume' | 'suspend', on: NodeContext): Promise<string[]> {
    const made = plan.calls.length;
    const job = await ask(grounds, 'alice', request);
    assert.ok(job);
    await performJob(on, createJobsInHand(), job);
    const quiet = (): Promise<boolean> => Promise.resolve(plan.pending === 0);
    await until(quiet, { signal: AbortSignal.timeout(10_000), everyMs: 5, what: 'the calls to end' });
    return plan.calls
      .slice(made)
      .filter((call) => call.startsWith('store.'))
      .map((call) => call.replace(/^store\.(.*)#[0-9]+$/, '$1'));
  }

  test('the first wake, where the template was prepared, fetches nothing', async () => {
    assert.deepEqual(await callsOf('resume', context), ['get', 'list']);
  });

  test('a suspend is two parts and a commit; older generations are looked for when it counts', async () => {
    const [first, second, third, ...rest] = await callsOf('suspend', context);
    assert.deepEqual([first, second, third], ['put', 'put', 'create']);
    assert.deepEqual(rest, ['list', 'get']);
  });

  test('a wake where the actor slept asks nothing, and the suspend after it looks for nothing', async () => {
    assert.deepEqual(await callsOf('resume', context), []);
    assert.deepEqual(await callsOf('suspend', context), ['put', 'put', 'create']);
  });

  test('what has no use any more is removed without a look, until it is time for one', async () => {
    // How much that is depends on which generations lie over others: an entry at least.
    const removals = (calls: readonly string[], generation: number): void => {
      const isRemoval = (call: string): boolean => call === 'delete';
      assert.ok(calls.every(isRemoval) && calls.length >= (generation > 3 ? 1 : 0), `${generation}: ${calls.join()}`);
    };
    for (let generation = 3; generation < 16; generation++) {
      assert.deepEqual(await callsOf('resume', context), []);
      const [first, second, third, ...rest] = await callsOf('suspend', context);
      assert.deepEqual([first, second, third], ['put', 'put', 'create']);
      removals(rest, generation);
    }
    await callsOf('resume', context);
    const calls = await callsOf('suspend', context);
    const look = ['put', 'put', 'create', 'list', 'get', 'get', 'get', 'get']; // three generations and the beginning
    assert.deepEqual(calls.slice(0, look.length), look);
    removals(calls.slice(look.length), 16);
  });

  test('another activation in between, and the log is read: its newest entry at once, and no part', async () => {
    const failing = { ...context, sandboxes: { ...context.sandboxes, prepare: () => Promise.reject(new Error('no')) } };
    await assert.rejects(callsOf('resume', failing));
    assert.deepEqual((await callsOf('resume', context)).sort(), ['get', 'list']);
    await callsOf('suspend', context);
  });

  test('elsewhere it reads the log, and fetches its device and the parts that its memory is made of', async () => {
    const elsewhere = { ...context, blobs: { store: context.store, keyRing: [] }, knownLogs: createKnownLogs() };
    const { snapshot } = await readHead(context.store, 'alice');
    assert.ok(snapshot);
    const parts = ['device', ...memoryChain(snapshot.manifest)].map(() => 'getToFile');
    assert.deepEqual((await callsOf('resume', elsewhere)).sort(), ['get', ...parts, 'list']);
  });
});
