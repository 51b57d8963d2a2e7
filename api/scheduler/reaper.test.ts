import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { appendEntry, readHead } from '../../shared/snapshot/actor-log.ts';
import { standInManifest } from '../stand-in/node.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import { startFixture, until, type Fixture } from '../stand-in/fixture.ts';
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
});
