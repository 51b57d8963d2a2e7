/**
 * Every call that a lifecycle job makes of the registry, the store or the sandbox fails once, before it did anything and
 * after it did all of it; then the job is asked for again. The table is made by running each job once without a fault.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createHash } from 'node:crypto';
import { fallBack } from '../../shared/actor/fall-back.ts';
import { isTransitional, type ActorState } from '../../shared/actor/lifecycle.ts';
import { readHead, readEntry } from '../../shared/snapshot/actor-log.ts';
import { memoryChain, neededParts } from '../../shared/snapshot/manifest.ts';
import { until } from '../../shared/process/until.ts';
import { performJob } from './consume.ts';
import { reconcile } from './reconcile.ts';
import { newPlan, type Fault, type FaultPlan } from './stand-in/faults.ts';
import {
  ask,
  jobOf,
  preparing,
  sleeping,
  specOf,
  standInNode,
  startGrounds,
  type Grounds,
  type StandInNode,
} from './stand-in/node.ts';
import { revisionOf } from '../../shared/template/template-spec.ts';

type Request = 'resume' | 'suspend' | 'pause' | 'delete';

interface Scenario {
  readonly name: string;
  /** What the actor goes through without a fault, and what is then asked with one. */
  readonly prepared: readonly Request[];
  readonly request: Request;
  readonly goal: ActorState | 'gone';
}

const scenarios: readonly Scenario[] = [
  { name: 'the first resume', prepared: [], request: 'resume', goal: 'running' },
  { name: 'a resume', prepared: ['resume', 'suspend'], request: 'resume', goal: 'running' },
  { name: 'a resume of a paused actor', prepared: ['resume', 'pause'], request: 'resume', goal: 'running' },
  { name: 'a suspend', prepared: ['resume'], request: 'suspend', goal: 'suspended' },
  { name: 'a second suspend', prepared: ['resume', 'suspend', 'resume'], request: 'suspend', goal: 'suspended' },
  { name: 'a suspend of a paused actor', prepared: ['resume', 'pause'], request: 'suspend', goal: 'suspended' },
  { name: 'a pause', prepared: ['resume'], request: 'pause', goal: 'paused' },
  { name: 'a delete of a sleeping actor', prepared: ['resume', 'suspend'], request: 'delete', goal: 'gone' },
  { name: 'a delete of a running actor', prepared: ['resume'], request: 'delete', goal: 'gone' },
  { name: 'a delete of a paused actor', prepared: ['resume', 'pause'], request: 'delete', goal: 'gone' },
];

const callsBetween = 3;
/** Two would do: the fault, and the retry. More means that something does not converge. */
const maxRounds = 4;
let actors = 0;

suite('a fault at every step', () => {
  let grounds: Grounds;
  before(async () => {
    grounds = await startGrounds();
    await preparing(grounds, 'counter');
    const node = await standInNode(grounds, newPlan());
    const subject = { template: 'counter', revision: revisionOf(specOf('counter')) };
    await performJob(node.context, node.inHand, jobOf('prepare-template', subject));
  });
  after(() => grounds[Symbol.asyncDispose]());

  for (const scenario of scenarios) {
    test(`${scenario.name} that fails anywhere once, and its retry`, async () => {
      const places = await run(grounds, scenario, undefined);
      assert.ok(places.length > 3, `only ${places.join()}`);
      for (const call of places) {
        for (const when of ['before', 'after'] as const) {
          await run(grounds, scenario, { call, when }).catch((cause: unknown) => {
            throw new Error(`${scenario.name}, a fault ${when} ${call}: ${String(cause)}`, { cause });
          });
        }
      }
    });
  }

  test('a preparation that fails anywhere once, and its retry', async () => {
    const places = await prepare(grounds, 'prepared', undefined);
    for (const [index, call] of places.entries()) {
      for (const when of ['before', 'after'] as const) {
        await prepare(grounds, `prepared-${index}-${when}`, { call, when });
      }
    }
  });
});

/** Returns the calls that the asked job made. */
async function run(grounds: Grounds, scenario: Scenario, fault: Fault | undefined): Promise<string[]> {
  const id = `actor-${++actors}`;
  await sleeping(grounds, id, 'counter');
  const plan = newPlan();
  const node = await standInNode(grounds, plan);
  for (const request of scenario.prepared) {
    await perform(grounds, node, id, request);
    for (const counter of node.live) counter.count += callsBetween;
    await allQuiet(plan);
  }
  const counted = callsBetween * scenario.prepared.filter((request) => request === 'resume').length;
  const made = plan.calls.length;
  const committed = await committedCount(grounds, id);
  // Counts go on from those of the preparation, so the fault is placed by its position in this job.
  if (fault !== undefined) plan.fault = fault;
  await perform(grounds, node, id, scenario.request).catch((error: unknown) => {
    if (fault === undefined) throw error;
  });
  await allQuiet(plan);
  assert.equal(plan.struck ?? false, fault !== undefined, 'the fault struck');
  delete plan.fault;
  const places = plan.calls.slice(made);

  const fellBack = await converge(grounds, node, id, scenario);
  await reconcile(node.context, node.inHand);
  await checkNode(grounds, node, id);
  if (scenario.goal === 'gone') await checkNothingIsLeft(grounds, id);
  else await checkCount(grounds, node, id, fellBack ? committed : counted, counted);
  return places;
}

/** What a job has left to itself (the removal of old generations) is over. */
const allQuiet = (plan: FaultPlan): Promise<void> =>
  until(() => plan.pending === 0, { signal: AbortSignal.timeout(5000), everyMs: 1, what: 'calls to end' });

async function perform(grounds: Grounds, node: StandInNode, id: string, request: Request): Promise<void> {
  const job = await ask(grounds, id, request);
  assert.ok(job, `${request} was not accepted`);
  await performJob(node.context, node.inHand, job);
}

/** What callers and the reaper do: ask again, and fall back from what nobody leads out. Says whether that was needed. */
async function converge(grounds: Grounds, node: StandInNode, id: string, scenario: Scenario): Promise<boolean> {
  const { registry, store } = grounds;
  let fellBack = false;
  for (let round = 0; round < maxRounds; round++) {
    const record = await registry.getActor(id);
    const state = record?.state ?? 'gone';
    if (state === scenario.goal) return fellBack;
    assert.ok(record, `it is gone instead of ${scenario.goal}`);
    if (state === 'deleting') {
      await performJob(node.context, node.inHand, jobOf('delete', { actorId: id }));
    } else if (isTransitional(record.state)) {
      await fallBack({ store, registry, record, reason: 'overdue' });
      await reconcile(node.context, node.inHand);
      fellBack = true;
    } else if (scenario.goal === 'paused' && state === 'suspended') {
      await perform(grounds, node, id, 'resume');
    } else {
      await perform(grounds, node, id, scenario.request);
    }
  }
  return assert.fail(`it is ${(await registry.getActor(id))?.state ?? 'gone'} instead of ${scenario.goal}`);
}

/** One VM if it runs and none if not; its files only while it is paused. */
async function checkNode({ registry }: Grounds, node: StandInNode, id: string): Promise<void> {
  const record = await registry.getActor(id);
  const runs = record?.state === 'running';
  assert.equal(node.live.size, runs ? 1 : 0, 'virtual machines');
  const held = node.context.activations.all();
  assert.deepEqual(
    held.map(({ epoch }) => epoch),
    runs ? [record.epoch] : [],
  );
  if (runs) assert.equal(typeof held[0]?.gate.enter(), 'object', 'its door is open');
  const isPaused = record?.state === 'paused';
  assert.equal(node.context.captures.all().length, isPaused ? 1 : 0, 'captures');
  assert.equal((await node.transferFolders()).length, isPaused ? 1 : 0, 'folders');
  const holders = await registry.actorsOnNode('node-1');
  assert.equal(holders.includes(id), runs || isPaused, 'its place on the node');
}

async function checkNothingIsLeft({ store }: Grounds, id: string): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of store.list(`actors/${id}/`)) keys.push(key);
  assert.equal(keys.length, 1, `only the tombstone: ${keys.join()}`);
  assert.equal((await readHead(store, id)).last?.kind, 'deleted');
}

/** Wakes the actor if it sleeps: it has counted on from where it was, and never from before its last generation. */
async function checkCount(
  grounds: Grounds,
  node: StandInNode,
  id: string,
  atLeast: number,
  atMost: number,
): Promise<void> {
  await checkLog(grounds, id);
  if ((await grounds.registry.getActor(id))?.state !== 'running') await perform(grounds, node, id, 'resume');
  const [counter] = node.live;
  assert.ok(
    counter && counter.count >= atLeast && counter.count <= atMost,
    `${counter?.count} of ${atLeast}..${atMost}`,
  );
  assert.equal(counter.frozen, false);
}

/** Generations go up by one, and every object of each is what its manifest says. */
async function checkLog({ store }: Grounds, id: string): Promise<void> {
  const { seq: head } = await readHead(store, id);
  let generation = 0;
  for (let seq = 1; seq <= head; seq++) {
    const entry = await readEntry(store, id, seq).catch(() => undefined); // old fences are removed
    if (entry?.kind !== 'snapshot') continue;
    assert.equal(entry.generation, ++generation);
    for (const { key, sha256 } of neededParts(entry.manifest)) {
      assert.equal(
        createHash('sha256')
          .update(await store.get(key))
          .digest('hex'),
        sha256,
        key,
      );
    }
  }
}

async function committedCount({ store }: Grounds, id: string): Promise<number> {
  const { snapshot } = await readHead(store, id);
  if (snapshot === undefined) return 0;
  const carried = await Promise.all(memoryChain(snapshot.manifest).map(({ key }) => store.get(key)));
  return carried.reduce((sum, bytes) => sum + Number(bytes.toString()), 0);
}

async function prepare(grounds: Grounds, name: string, fault: Fault | undefined): Promise<string[]> {
  await preparing(grounds, name);
  const plan = newPlan();
  if (fault !== undefined) plan.fault = fault;
  const node = await standInNode(grounds, plan);
  const job = jobOf('prepare-template', { template: name, revision: revisionOf(specOf(name)) });
  await performJob(node.context, node.inHand, job).catch((error: unknown) => {
    if (fault === undefined) throw error;
  });
  assert.equal(plan.struck ?? false, fault !== undefined, 'the fault struck');
  const places = [...plan.calls];
  delete plan.fault;
  const record = await grounds.registry.getTemplate(name);
  assert.ok(record);
  if (record.state !== 'ready') {
    // What applying it again does, or the reaper for one that nobody led out.
    await grounds.registry.updateTemplate({ ...record, state: 'preparing' }, ['failed', 'preparing']);
    await performJob(node.context, node.inHand, { ...job, operationId: crypto.randomUUID() });
  }
  assert.equal((await grounds.registry.getTemplate(name))?.state, 'ready', `${fault?.when} ${fault?.call}`);
  assert.equal(node.live.size, 0);
  assert.deepEqual(await node.transferFolders(), []);
  return places;
}
