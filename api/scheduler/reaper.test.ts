import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { appendEntry, readHead } from '../../shared/snapshot/actor-log.ts';
import { standInManifest } from '../stand-in/node.ts';
import { specOf, startFixture, until, type Fixture } from '../stand-in/fixture.ts';
import { reapOverdueOperations } from './reap-operations.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import { reapOverdue, startReaper } from './reaper.ts';

suite('reaper', () => {
  let api: Fixture;
  before(async () => {
    api = await startFixture((_request, response) => response.end('hello'));
  });
  after(() => api[Symbol.asyncDispose]());

  test('an overdue wake: fenced, asleep, its callers told; a late answer of the node changes nothing', async () => {
    await api.sleeping('late');
    const claim = await api.registry.claim('late', 'node-1', -1, 'test');
    assert.equal(claim.outcome, 'claimed');
    await reapOverdue(api.parts);
    const record = await api.registry.getActor('late');
    assert.deepEqual(
      [record?.state, record?.lastError?.code, record?.node],
      ['suspended', 'deadline-exceeded', undefined],
    );
    assert.deepEqual([record?.generation, record?.logSeq], [0, 2]);
    const { last } = await readHead(api.store, 'late');
    assert.deepEqual(last?.kind === 'fence' && [last.fencedEpoch, last.fencedNode], [claim.epoch, 'node-1']);
    const move = { id: 'late', from: ['resuming'], to: 'running', epoch: claim.epoch, reason: 'late' } as const;
    assert.equal((await api.registry.transition(move)).outcome, 'refused');
    const entry = {
      kind: 'snapshot',
      uid: record?.uid ?? '',
      generation: 1,
      epoch: claim.epoch,
      node: 'node-1',
    } as const;
    const lost = await appendEntry(api.store, 'late', 1, { ...entry, manifest: standInManifest('') });
    assert.equal(lost.outcome, 'lost');
  });

  test('an overdue suspend whose commit stands: asleep at that generation', async () => {
    await api.sleeping('committed');
    const claim = await api.registry.claim('committed', 'node-1', 60_000, 'test');
    assert.equal(claim.outcome, 'claimed');
    const { epoch } = claim;
    const record = await api.registry.getActor('committed');
    const step = { id: 'committed', epoch, reason: 'test' } as const;
    await api.registry.transition({ ...step, from: ['resuming'], to: 'running' });
    await api.registry.transition({ ...step, from: ['running'], to: 'suspending', deadlineMs: -1 });
    const entry = { kind: 'snapshot', uid: record?.uid ?? '', generation: 1, epoch, node: 'node-1' } as const;
    const manifest = standInManifest(objectKeys.actorBlobs('committed', record?.uid ?? ''));
    await appendEntry(api.store, 'committed', 1, { ...entry, manifest });
    await reapOverdue(api.parts);
    await reapOverdue(api.parts); // again: nothing is left to do
    const after = await api.registry.getActor('committed');
    assert.deepEqual([after?.state, after?.generation, after?.generationSeq, after?.logSeq], ['suspended', 1, 2, 3]);
    assert.equal(after?.durableAt, manifest.capturedAt);
  });

  test('an overdue deletion is ordered again', async () => {
    await api.sleeping('stuck');
    await api.registry.transition({ id: 'stuck', from: ['suspended'], to: 'deleting', deadlineMs: -1, reason: 'test' });
    await reapOverdue(api.parts);
    await until(async () => (await api.registry.getActor('stuck')) === undefined);
  });

  test('actors of a node without a lease fall back after the grace, by whoever leads', async () => {
    const bootId = 'b';
    const node = await api.registry.getNode('node-1');
    assert.ok(node);
    await api.registry.announceNode({ ...node, id: 'node-2', bootId }, 60_000);
    await api.sleeping('orphan');
    const claim = await api.registry.claim('orphan', 'node-2', 60_000, 'test');
    assert.equal(claim.outcome, 'claimed');
    await api.registry.transition({
      id: 'orphan',
      from: ['resuming'],
      to: 'running',
      epoch: claim.epoch,
      reason: 'test',
    });
    await using _first = startReaper(api.parts, { holder: 'a', graceMs: 50, everyMs: 20 });
    await using _second = startReaper(api.parts, { holder: 'b', graceMs: 50, everyMs: 20 });
    await until(() => api.registry.lead('reaper', 'c', 1).then((led) => !led));
    assert.equal((await api.registry.getActor('orphan'))?.state, 'running');
    await api.registry.releaseLease('node-2', bootId);
    await until(async () => (await api.registry.getActor('orphan'))?.state === 'suspended');
    assert.equal((await api.registry.getActor('orphan'))?.lastError?.code, 'vmm-failed');
    assert.equal((await readHead(api.store, 'orphan')).last?.kind, 'fence');
  });

  /** A node that has a lease until it is released, and no worker behind it. */
  async function hollowNode(id: string): Promise<{ die(): Promise<void> }> {
    const node = await api.registry.getNode('node-1');
    assert.ok(node);
    await api.registry.announceNode({ ...node, id, bootId: 'b' }, 60_000);
    return { die: () => api.registry.releaseLease(id, 'b') };
  }

  test('a start on a node whose lease is over is left alone until its boot is declared over, and so is its job', async () => {
    const graceMs = 300;
    const node = await hollowNode('node-3');
    await api.sleeping('unlucky');
    const { body } = await api.call('POST', '/v1/actors/unlucky/resume', { body: { node: 'node-3' } });
    const operation = async () => api.registry.getOperation(String(body['id']));
    await using _reaper = startReaper(api.parts, { holder: 'now', graceMs, everyMs: 20 });
    await until(() => api.registry.lead('reaper', 'c', 1).then((led) => !led));
    const known = await api.registry.getNode('node-3');
    assert.ok(known);
    await node.die();
    const diedAt = performance.now();
    let isOver = false;
    let sawWaiting = 0;
    await until(async () => {
      const record = await api.registry.getActor('unlucky');
      if (record?.state === 'resuming' && (await operation())?.state === 'queued') sawWaiting++;
      if (record?.state !== 'suspended') return false;
      // The boot can never take its lease again: decided before anything was done to its actor.
      isOver = !(await api.registry.retakeLease(known, 60_000));
      return true;
    });
    assert.ok(isOver);
    assert.ok(sawWaiting > 0 && performance.now() - diedAt >= graceMs);
    await until(async () => (await operation())?.state === 'failed');
    assert.equal((await readHead(api.store, 'unlucky')).last?.kind, 'fence');
  });

  test('a node that is back within the grace does the start that it was sent before', async () => {
    const node = await hollowNode('node-6');
    const known = await api.registry.getNode('node-6');
    assert.ok(known);
    await api.sleeping('lucky');
    const { body } = await api.call('POST', '/v1/actors/lucky/resume', { body: { node: 'node-6' } });
    const other = await runningOn('elsewhere', 'node-7', 60_000);
    await using _reaper = startReaper(api.parts, { holder: 'back', graceMs: 200, everyMs: 20 });
    await node.die();
    await until(async () => (await api.registry.getNode('node-6'))?.leaseMs === 0);
    assert.equal(await api.registry.retakeLease(known, 60_000), true);
    await api.registry.releaseLease('node-7', other.bootId);
    await until(async () => (await api.registry.getActor('elsewhere'))?.state === 'suspended');
    assert.equal((await api.registry.getActor('lucky'))?.state, 'resuming');
    assert.equal((await api.registry.getOperation(String(body['id'])))?.state, 'queued');
  });

  test('a delete queued for a node that died is done by another one, under the same operation', async () => {
    const node = await hollowNode('node-4');
    await api.sleeping('doomed');
    const claim = await api.registry.claim('doomed', 'node-4', 60_000, 'test');
    assert.equal(claim.outcome, 'claimed');
    const move = { id: 'doomed', from: ['resuming'], to: 'running', epoch: claim.epoch, reason: 'test' } as const;
    await api.registry.transition(move);
    const { body } = await api.call('DELETE', '/v1/actors/doomed');
    assert.equal(body['node'], 'node-4');
    await node.die();
    await using _reaper = startReaper(api.parts, { holder: 'delete', graceMs: 600_000, everyMs: 20 });
    const operation = async () => api.registry.getOperation(String(body['id']));
    await until(async () => (await operation())?.state === 'done');
    assert.deepEqual([(await operation())?.node, (await operation())?.attempts], ['node-1', 2]);
    assert.equal(await api.registry.getActor('doomed'), undefined);
    assert.deepEqual(await api.registry.actorsOnNode('node-4'), []);
  });

  test('a preparation whose node died goes to another node; after three of them the template has failed', async () => {
    const node = await hollowNode('node-5');
    await api.registry.setNodeState('node-1', 'draining'); // so that it is given to the hollow one
    await api.call('POST', '/v1/templates', { body: specOf('moved') });
    await api.call('POST', '/v1/templates', { body: specOf('cursed') });
    const [moved, cursed] = await Promise.all(
      ['moved', 'cursed'].map(async (name) => {
        const open = await api.registry.openOperations(100, false);
        const found = open.find(({ target }) => target === name);
        assert.ok(found?.node === 'node-5', JSON.stringify(found));
        return found;
      }),
    );
    assert.ok(moved && cursed);
    await api.registry.putOperation({ ...cursed, attempts: 3 });
    await node.die();
    await api.registry.setNodeState('node-1', 'ready');
    await using _reaper = startReaper(api.parts, { holder: 'prepare', graceMs: 600_000, everyMs: 20 });
    await until(async () => (await api.registry.getTemplate('moved'))?.state === 'ready');
    await until(async () => (await api.registry.getOperation(moved.id))?.state === 'done');
    await until(async () => (await api.registry.getTemplate('cursed'))?.state === 'failed');
    assert.equal((await api.registry.getOperation(cursed.id))?.state, 'failed');
  });

  test('an operation whose end nobody reports fails; what is over stays as it is', async () => {
    const id = '00000000-0000-4000-8000-000000000001';
    const past = new Date(Date.now() - 1).toISOString();
    const operation = {
      id,
      kind: 'suspend',
      target: 'x',
      state: 'running',
      createdAt: past,
      deadlineAt: past,
    } as const;
    assert.equal(await api.registry.putOperation(operation), true);
    await reapOverdueOperations(api.parts);
    const ended = await api.registry.getOperation(id);
    assert.deepEqual([ended?.state, ended?.error?.code], ['failed', 'deadline-exceeded']);
    assert.equal(await api.registry.putOperation({ ...operation, state: 'done' }), false, 'a late worker');
    assert.equal((await api.registry.getOperation(id))?.state, 'failed');
    assert.deepEqual(await api.registry.openOperations(100, true), []);
  });

  /** An actor that runs on a node of its own, which holds a lease of that length. */
  async function runningOn(id: string, nodeId: string, leaseMs: number) {
    const known = await api.registry.getNode('node-1');
    assert.ok(known);
    const node = { ...known, id: nodeId, bootId: `boot-of-${nodeId}` };
    await api.sleeping(id);
    await api.registry.announceNode(node, leaseMs);
    const claim = await api.registry.claim(id, nodeId, 60_000, 'test');
    assert.ok(claim.outcome === 'claimed');
    const move = { id, from: ['resuming'], to: 'running', epoch: claim.epoch, reason: 'test' } as const;
    await api.registry.transition(move);
    return node;
  }

  test('takeover waits out the lease and the grace; only then is the log fenced, and the boot over for good', async () => {
    const [leaseMs, graceMs] = [600, 500];
    const announcedAt = performance.now();
    const node = await runningOn('silent', 'node-3', leaseMs);
    await using _reaper = startReaper(api.parts, { holder: 'd', graceMs, everyMs: 20 });
    let fencedAt = 0;
    await until(async () => {
      const fenced = (await readHead(api.store, 'silent')).last?.kind === 'fence';
      if (fenced) fencedAt = performance.now();
      return fenced;
    });
    assert.ok(fencedAt - announcedAt >= leaseMs + graceMs, `fenced after ${fencedAt - announcedAt} ms`);
    await until(async () => (await api.registry.getActor('silent'))?.state === 'suspended');
    assert.equal(await api.registry.retakeLease(node, 60_000), false);
  });

  test('a node that takes its lease again within the grace keeps its actors', async () => {
    const graceMs = 300;
    const node = await runningOn('back', 'node-4', 60_000);
    const other = await runningOn('gone', 'node-5', 60_000);
    await using _reaper = startReaper(api.parts, { holder: 'e', graceMs, everyMs: 20 });
    await api.registry.releaseLease('node-4', node.bootId);
    await until(async () => (await api.registry.getNode('node-4'))?.leaseMs === 0);
    assert.equal(await api.registry.retakeLease(node, 60_000), true);
    // The other one lost its lease later and stays away: once it is reaped, the first one's grace is long over.
    await api.registry.releaseLease('node-5', other.bootId);
    await until(async () => (await api.registry.getActor('gone'))?.state === 'suspended');
    assert.equal((await api.registry.getActor('back'))?.state, 'running');
    assert.equal((await readHead(api.store, 'back')).last?.kind, 'created');
  });
});
