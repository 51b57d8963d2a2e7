/** A suspend whose commit is in doubt and whose VM cannot run on: nobody may start the actor before its log is fenced. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { appendEntry, readHead } from '../../shared/snapshot/actor-log.ts';
import { revisionOf } from '../../shared/template/template-spec.ts';
import { performJob } from './consume.ts';
import { newPlan } from './stand-in/faults.ts';
import {
  ask,
  jobOf,
  nodeId,
  preparing,
  sleeping,
  specOf,
  standInNode,
  startGrounds,
  type Grounds,
} from './stand-in/node.ts';

suite('a suspend that fails, of a VM that cannot run on', () => {
  let grounds: Grounds;
  before(async () => {
    grounds = await startGrounds();
    await preparing(grounds, 'counter');
    const { context, inHand } = await standInNode(grounds, newPlan());
    const revision = revisionOf(specOf('counter'));
    await performJob(context, inHand, jobOf('prepare-template', { template: 'counter', revision }));
  });
  after(() => grounds[Symbol.asyncDispose]());

  type Create = ObjectStore['create'];

  /** Runs an actor, and suspends it with a store whose create-only write is `commit`; `breakDown` ends the VM meanwhile. */
  async function suspendWith(
    id: string,
    commit: (create: () => ReturnType<Create>, breakDown: () => never) => ReturnType<Create>,
  ) {
    await sleeping(grounds, id, 'counter');
    const node = await standInNode(grounds, newPlan());
    const resume = await ask(grounds, id, 'resume');
    assert.ok(resume);
    await performJob(node.context, node.inHand, resume);
    const { store } = node.context;
    const create: Create = (...args) =>
      commit(
        () => store.create(...args),
        () => {
          node.end();
          throw new DormouseError('store-unavailable', 'no answer');
        },
      );
    const job = await ask(grounds, id, 'suspend');
    assert.ok(job);
    const failing = { ...node.context, store: { ...grounds.store, create } };
    await assert.rejects(performJob(failing, node.inHand, job));
    assert.equal(node.live.size, 0, 'no VM is left');
    assert.deepEqual(node.context.activations.all(), []);
    const record = await grounds.registry.getActor(id);
    assert.ok(record?.state === 'suspended');
    assert.equal((await grounds.registry.actorsOnNode(nodeId)).includes(id), false, 'its room is free');
    return { record, log: await readHead(grounds.store, id) };
  }

  test('its commit did not arrive: a fence takes its place, and it finds the place taken when it comes', async () => {
    let late: (() => ReturnType<Create>) | undefined;
    const { record, log } = await suspendWith('late', async (create, breakDown) => {
      late ??= create;
      if (late !== create) return create(); // the fence
      return breakDown();
    });
    assert.equal(log.last?.kind, 'fence');
    assert.deepEqual([record.generation, record.logSeq], [0, 2]);
    assert.equal(await late?.(), 'exists');
  });

  test('its commit arrived, and its answer did not: the generation counts, and the fence comes after it', async () => {
    let isFirst = true;
    const { record, log } = await suspendWith('arrived', async (create, breakDown) => {
      if (!isFirst) return create();
      isFirst = false;
      await create();
      return breakDown();
    });
    assert.equal(log.last?.kind, 'fence');
    assert.deepEqual([record.generation, record.generationSeq, record.logSeq], [1, 2, 3]);
  });

  test('its commit was lost to another: that one’s entry is the fence', async () => {
    const { log } = await suspendWith('lost', async (create) => {
      const { created } = await readHead(grounds.store, 'lost');
      const uid = created?.uid ?? '';
      const fence = { kind: 'fence', uid, fencedEpoch: '1.999', fencedNode: nodeId, reason: 'a reaper' } as const;
      await appendEntry(grounds.store, 'lost', 1, fence);
      return create();
    });
    assert.ok(log.last?.kind === 'fence' && log.last.reason === 'a reaper', 'it wrote none of its own');
  });
});
