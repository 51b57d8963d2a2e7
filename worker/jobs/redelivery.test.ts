/** A queue delivers at least once, and workers die: whatever is delivered again, an actor has at most one VM. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { fallBack } from '../../shared/actor/fall-back.ts';
import { jobLimitsMs, type Job } from '../../shared/jobs/contracts.ts';
import type { Operation } from '../../shared/registry/records.ts';
import { revisionOf } from '../../shared/template/template-spec.ts';
import { performJob } from './consume.ts';
import { loseActivation } from './lose-activation.ts';
import { reconcile } from './reconcile.ts';
import { redoInterrupted } from './redo-interrupted.ts';
import { newPlan } from './stand-in/faults.ts';
import { takeUp } from './take-up.ts';
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

suite('jobs delivered again', () => {
  let grounds: Grounds;
  before(async () => {
    grounds = await startGrounds();
    await preparing(grounds, 'counter');
    const { context, inHand } = await standInNode(grounds, newPlan());
    const revision = revisionOf(specOf('counter'));
    await performJob(context, inHand, jobOf('prepare-template', { template: 'counter', revision }));
  });
  after(() => grounds[Symbol.asyncDispose]());

  const epochOf = async (id: string): Promise<string> => (await grounds.registry.getActor(id))?.epoch ?? '';

  test('the same resume twice at once, and again when it is done: one VM', async () => {
    await sleeping(grounds, 'twice', 'counter');
    const { context, inHand, live } = await standInNode(grounds, newPlan());
    const job = await ask(grounds, 'twice', 'resume');
    assert.ok(job);
    await Promise.all([performJob(context, inHand, job), performJob(context, inHand, job)]);
    assert.equal(live.size, 1);
    await performJob(context, inHand, job);
    const renamed = { ...job, operationId: crypto.randomUUID() };
    await assert.rejects(performJob(context, inHand, renamed), { code: 'epoch-stale' });
    assert.equal(live.size, 1);
    assert.equal(context.activations.all().length, 1);
    assert.equal((await grounds.registry.getActor('twice'))?.state, 'running');
  });

  test('an old resume after the actor moved on, here and in another worker: refused', async () => {
    await sleeping(grounds, 'moved', 'counter');
    const first = await standInNode(grounds, newPlan());
    const old = await ask(grounds, 'moved', 'resume');
    assert.ok(old?.kind === 'resume');
    const record = await grounds.registry.getActor('moved');
    assert.ok(record);
    await fallBack({ ...grounds, record, reason: 'its worker died' });
    const next = await ask(grounds, 'moved', 'resume');
    assert.ok(next);
    const second = await standInNode(grounds, newPlan());
    await assert.rejects(performJob(first.context, first.inHand, old), { code: 'epoch-stale' });
    await performJob(second.context, second.inHand, next);
    for (const { context, inHand } of [first, second]) {
      const again = { ...old, operationId: crypto.randomUUID() };
      await assert.rejects(performJob(context, inHand, again), { code: 'epoch-stale' });
    }
    assert.deepEqual([first.live.size, second.live.size], [0, 1]);
    assert.notEqual(await epochOf('moved'), old.epoch);
  });

  test('a takeover in the middle of a resume: the slow one ends its VM and changes nothing', async () => {
    await sleeping(grounds, 'slow', 'counter');
    const { context, inHand, live } = await standInNode(grounds, newPlan());
    const job = await ask(grounds, 'slow', 'resume');
    assert.ok(job);
    const prepare = context.sandboxes.prepare.bind(context.sandboxes);
    const overtaken = async (...args: Parameters<typeof prepare>) => {
      const prepared = await prepare(...args);
      const restore: typeof prepared.restore = async (...own) => {
        const sandbox = await prepared.restore(...own);
        const record = await grounds.registry.getActor('slow');
        assert.ok(record);
        await fallBack({ ...grounds, record, reason: 'overdue' });
        return sandbox;
      };
      return { ...prepared, restore };
    };
    const slow = { ...context, sandboxes: { ...context.sandboxes, prepare: overtaken } };
    await assert.rejects(performJob(slow, inHand, job), { code: 'epoch-stale' });
    assert.equal(live.size, 0);
    assert.equal((await grounds.registry.getActor('slow'))?.state, 'suspended');
  });

  test('what a node holds and the registry does not know of ends; what it should hold and does not falls back', async () => {
    await sleeping(grounds, 'leaked', 'counter');
    const { context, inHand, live } = await standInNode(grounds, newPlan());
    const job = await ask(grounds, 'leaked', 'resume');
    assert.ok(job);
    await performJob(context, inHand, job);
    await reconcile(context, inHand);
    assert.equal(live.size, 1, 'what both know of stays');
    const record = await grounds.registry.getActor('leaked');
    assert.ok(record);
    await fallBack({ ...grounds, record, reason: 'taken for dead' });
    await reconcile(context, inHand);
    assert.equal(live.size, 0);

    const lost = await ask(grounds, 'leaked', 'resume');
    assert.ok(lost);
    await performJob(context, inHand, lost);
    const held = context.activations.get('leaked');
    assert.ok(held);
    context.activations.remove(held);
    await reconcile(context, inHand);
    const after = await grounds.registry.getActor('leaked');
    assert.deepEqual([after?.state, after?.lastError?.code], ['suspended', 'vmm-failed']);
    await held.sandbox[Symbol.asyncDispose]();
  });

  test('a VM that ended is told of with its own words, though the node looks while it cleans up', async () => {
    await sleeping(grounds, 'ended', 'counter');
    const { context, inHand } = await standInNode(grounds, newPlan());
    const job = await ask(grounds, 'ended', 'resume');
    assert.ok(job);
    await performJob(context, inHand, job);
    const held = context.activations.get('ended');
    assert.ok(held);
    const cleaning = Promise.withResolvers<undefined>();
    const sandbox = {
      ...held.sandbox,
      [Symbol.asyncDispose]: async () => {
        await cleaning.promise;
        await held.sandbox[Symbol.asyncDispose]();
      },
    };
    const ending = { ...held, sandbox };
    context.activations.add(ending);
    const told = loseActivation(context, ending, 'dormouse: it had enough');
    await takeUp(context, inHand, new Set());
    await reconcile(context, inHand);
    assert.equal((await grounds.registry.getActor('ended'))?.state, 'running', 'it is told by who knows why');
    cleaning.resolve(undefined);
    await told;
    const after = await grounds.registry.getActor('ended');
    assert.equal(after?.state, 'suspended');
    assert.match(after.lastError?.message ?? '', /it had enough/);
    assert.equal(context.activations.isBeingLost('ended'), false);
  });

  /** A node that notes down the jobs it sends to itself. */
  async function selfSending() {
    const node = await standInNode(grounds, newPlan());
    const sent: Job[] = [];
    const sender = { ...node.context.sender, send: (_: string, job: Job) => Promise.resolve(void sent.push(job)) };
    const context = { ...node.context, sender };
    const seen = new Set<string>();
    return { ...node, context, sent, look: () => takeUp(context, node.inHand, seen) };
  }

  /** As an api does it: the operation is put with the claim. */
  async function claimed(target: string): Promise<Operation> {
    const createdAt = new Date().toISOString();
    const operation: Operation = { id: randomUUID(), kind: 'resume', target, state: 'queued', createdAt };
    const claim = await grounds.registry.claim(target, nodeId, jobLimitsMs.resume, 'a test', operation);
    assert.equal(claim.outcome, 'claimed');
    return operation;
  }

  test('a claim whose api ended before it sent the job: the node does it, as the same operation', async () => {
    await sleeping(grounds, 'unsent', 'counter');
    const { context, inHand, live, sent, look } = await selfSending();
    const operation = await claimed('unsent');
    await look();
    assert.equal(sent.length, 0, 'it may be on its way');
    await look();
    const [job] = sent;
    assert.ok(job?.kind === 'resume' && job.epoch === (await epochOf('unsent')));
    assert.equal(job.operationId, operation.id);
    const work = performJob(context, inHand, job);
    await look();
    assert.equal(sent.length, 1, 'what is in hand is left alone');
    await work;
    for (let round = 0; round < 3; round++) await look();
    assert.deepEqual([sent.length, live.size], [1, 1]);
    assert.equal((await grounds.registry.getOperation(job.operationId))?.state, 'done');
  });

  test('a wake whose operation has failed, though the actor was not put back: taken up under another one', async () => {
    await sleeping(grounds, 'failed-to-send', 'counter');
    const { context, inHand, sent, look } = await selfSending();
    const operation = await claimed('failed-to-send');
    await grounds.registry.putOperation({ ...operation, state: 'failed' });
    for (let round = 0; round < 3; round++) await look();
    assert.equal(new Set(sent.map(({ operationId }) => operationId)).size, 1, 'sent again it is the same job');
    assert.ok(sent[0] && sent[0].operationId !== operation.id);
    await performJob(context, inHand, sent[0]);
    assert.equal((await grounds.registry.getActor('failed-to-send'))?.state, 'running');
  });

  for (const [request, state, goal] of [
    ['suspend', 'suspending', 'suspended'],
    ['pause', 'pausing', 'paused'],
  ] as const) {
    test(`a ${request} that nobody sent: the node does it, and falls back if it holds nothing of the actor`, async () => {
      const id = `unsent-${request}`;
      await sleeping(grounds, id, 'counter');
      const { context, inHand, sent, look } = await selfSending();
      const resume = await ask(grounds, id, 'resume');
      assert.ok(resume);
      await performJob(context, inHand, resume);
      await ask(grounds, id, request);
      await look();
      await look();
      assert.ok(sent[0]?.kind === request);
      await performJob(context, inHand, sent[0]);
      assert.equal((await grounds.registry.getActor(id))?.state, goal);

      await grounds.registry.transition({ id, from: ['paused'], to: 'suspended', reason: 'test' });
      assert.ok(await ask(grounds, id, 'resume'));
      const epoch = await epochOf(id);
      const step = { id, epoch, reason: 'test' } as const;
      await grounds.registry.transition({ ...step, from: ['resuming'], to: 'running' });
      await grounds.registry.transition({ ...step, from: ['running'], to: state, deadlineMs: 60_000 });
      const elsewhere = await selfSending();
      await elsewhere.look();
      await elsewhere.look();
      assert.equal(elsewhere.sent.length, 0);
      const record = await grounds.registry.getActor(id);
      assert.deepEqual([record?.state, record?.lastError?.code], ['suspended', 'vmm-failed']);
    });
  }

  test('jobs that a worker left when it ended: a preparation is done again, a suspend is over', async () => {
    await preparing(grounds, 'interrupted');
    const { context, inHand } = await standInNode(grounds, newPlan());
    const common = { state: 'running', createdAt: new Date().toISOString(), node: nodeId } as const;
    const preparation: Operation = {
      ...common,
      id: crypto.randomUUID(),
      kind: 'prepare-template',
      target: 'interrupted',
    };
    const suspend: Operation = { ...common, id: crypto.randomUUID(), kind: 'suspend', target: 'gone' };
    for (const operation of [preparation, suspend]) await grounds.registry.putOperation(operation);
    const redone: Promise<void>[] = [];
    await redoInterrupted(context, inHand, (job) => {
      const work = performJob(context, inHand, job);
      redone.push(work);
      return work;
    });
    await Promise.all(redone);
    assert.equal((await grounds.registry.getTemplate('interrupted'))?.state, 'ready');
    const [prepared, suspended] = await Promise.all(
      [preparation, suspend].map(({ id }) => grounds.registry.getOperation(id)),
    );
    assert.deepEqual([prepared?.state, prepared?.attempts], ['done', 2]);
    assert.deepEqual([suspended?.state, suspended?.error?.code], ['failed', 'vmm-failed']);
  });
});
