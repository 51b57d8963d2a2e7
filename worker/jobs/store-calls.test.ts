/** Each call to a store may cost a round trip over a continent, and an actor or its caller waits: here they are counted. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { until } from '../../shared/process/until.ts';
import { revisionOf } from '../../shared/template/template-spec.ts';
import type { NodeContext } from '../node-context.ts';
import { createGoldenCache } from '../snapshot/golden-cache.ts';
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

  test('a wake where the actor slept reads the log, its newest entry at once, and no part', async () => {
    assert.deepEqual((await callsOf('resume', context)).sort(), ['get', 'list']);
    await callsOf('suspend', context);
  });

  test('elsewhere it fetches its two parts, and the one that its memory lies over', async () => {
    const elsewhere = { ...context, blobs: { store: context.store, keyRing: [] } };
    assert.deepEqual((await callsOf('resume', elsewhere)).sort(), [
      'get',
      'getToFile',
      'getToFile',
      'getToFile',
      'list',
    ]);
  });
});
