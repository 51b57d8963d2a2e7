import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Job } from '../../shared/jobs/contracts.ts';
import { takeWantedRoom, wantRoom } from '../../shared/registry/wanted-room.ts';
import { revisionOf } from '../../shared/template/template-spec.ts';
import { performJob } from '../jobs/consume.ts';
import { newPlan } from '../jobs/stand-in/faults.ts';
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
} from '../jobs/stand-in/node.ts';
import { makeRoom } from './make-room.ts';

suite('room for those who wait', () => {
  let grounds: Grounds;
  before(async () => {
    grounds = await startGrounds();
    await preparing(grounds, 'counter');
    const { context, inHand } = await standInNode(grounds, newPlan());
    const revision = revisionOf(specOf('counter'));
    await performJob(context, inHand, jobOf('prepare-template', { template: 'counter', revision }));
  });
  after(() => grounds[Symbol.asyncDispose]());

  /** Running actors, idle for as long as is said; 0: with a request inside. */
  async function nodeWith(idle: Readonly<Record<string, number>>) {
    const node = await standInNode(grounds, newPlan());
    const sent: Job[] = [];
    const sender = { ...node.context.sender, send: (_: string, job: Job) => Promise.resolve(void sent.push(job)) };
    const context = { ...node.context, sender };
    for (const [id, idleMs] of Object.entries(idle)) {
      await sleeping(grounds, id, 'counter');
      const job = await ask(grounds, id, 'resume');
      assert.ok(job);
      await performJob(context, node.inHand, job);
      const activation = context.activations.get(id);
      assert.ok(activation);
      activation.gate.idleMs = () => idleMs;
    }
    return { context, sent };
  }
  const stateOf = async (id: string) => (await grounds.registry.getActor(id))?.state;

  test('the one that has been idle for longest is put to sleep, one for each note, and none that is in use', async () => {
    const { context, sent } = await nodeWith({ busy: 0, recent: 100, idle: 5000, longest: 9000 });
    await makeRoom(context);
    assert.equal(sent.length, 0, 'nobody waits');
    await wantRoom(grounds.registry, [nodeId]);
    await makeRoom(context);
    await makeRoom(context);
    assert.deepEqual(
      sent.map((job) => job.kind === 'suspend' && job.actorId),
      ['longest'],
    );
    assert.deepEqual(await Promise.all(['longest', 'idle', 'busy'].map(stateOf)), ['suspending', 'running', 'running']);
    const longest = context.activations.get('longest');
    assert.ok(longest);
    context.activations.remove(longest);
    for (let note = 0; note < 2; note++) {
      await wantRoom(grounds.registry, [nodeId]);
      await makeRoom(context);
    }
    assert.equal(await stateOf('idle'), 'suspending');
    assert.deepEqual(await Promise.all(['recent', 'busy'].map(stateOf)), ['running', 'running']);
  });

  test('a note for other nodes is left to them', async () => {
    const { context, sent } = await nodeWith({ other: 5000 });
    await takeWantedRoom(grounds.registry, nodeId);
    await wantRoom(grounds.registry, ['node-2']);
    await makeRoom(context);
    assert.equal(sent.length, 0);
    assert.equal(await takeWantedRoom(grounds.registry, 'node-2'), true);
    assert.equal(await takeWantedRoom(grounds.registry, 'node-2'), false);
    await wantRoom(grounds.registry, []);
    assert.equal(await takeWantedRoom(grounds.registry, nodeId), false);
  });
});
