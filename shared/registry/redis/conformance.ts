/** What every Redis that the registry may run on must hold: one server and a cluster pass the same tests. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { until } from '../../process/until.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { ActorRecord, Change, NodeRecord, Operation, TemplateRecord } from '../records.ts';
import type { Registry } from '../registry.ts';
import { openRedisRegistry } from './driver.ts';

const now = (): string => new Date().toISOString();

function actor(id: string, template = 'counter', fields: Partial<ActorRecord> = {}): ActorRecord {
  return {
    id,
    uid: randomUUID(),
    template,
    revision: 'r1',
    state: 'suspended',
    since: now(),
    createdAt: now(),
    labels: {},
    memoryMiB: 256,
    coldStart: false,
    generation: 0,
    generationSeq: 1,
    logSeq: 1,
    durableAt: now(),
    reason: 'created',
    ...fields,
  };
}

function template(name: string): TemplateRecord {
  const spec = {
    name,
    containers: [{ name: 'main', image: 'oci:/x:y', env: {} }],
    memoryMiB: 256,
    vcpus: 1,
    idleTimeoutMs: 1000,
    wakeTimeoutMs: 1000,
    maxPendingRequests: 1,
    retainGenerations: 1,
    egress: { allow: [] },
    sandboxClass: 'microvm' as const,
  };
  return { name, revision: 'r1', spec, state: 'ready', since: now(), createdAt: now() };
}

const runtime = {
  arch: 'amd64',
  vmm: 'qemu',
  vmmVersion: '10',
  accelerator: 'tcg',
  machine: 'q35',
  cpuModel: 'max',
  kernel: '6',
  agent: 'a',
} as const;

const node = (id: string, slots = 2): NodeRecord => ({
  id,
  bootId: randomUUID(),
  state: 'ready',
  ingressUrl: 'http://127.0.0.1:1',
  runtime,
  slots,
  memoryMiB: 1024,
  startedAt: now(),
});

const operationOf = (target: string, nodeId: string): Operation => ({
  ...{ id: randomUUID(), kind: 'resume', target },
  ...{ state: 'queued', createdAt: now(), node: nodeId },
});

export interface RunningRedis extends AsyncDisposable {
  readonly url: string;
}

export function registryConformance(title: string, start: () => Promise<RunningRedis>): void {
  suite(title, () => registryTests(start));
}

function registryTests(start: () => Promise<RunningRedis>): void {
  let redis: RunningRedis;
  let registry: Registry;

  before(async () => {
    redis = await start();
    registry = openRedisRegistry(redis.url, createLogger('silent', {}));
    await registry.ping();
    await registry.beginLife(3, 0);
    await registry.createTemplate(template('counter'));
  });
  after(async () => {
    await registry.close();
    await redis[Symbol.asyncDispose]();
  });

  test('the first incarnation stands', async () => {
    assert.equal(await registry.beginLife(9, 0), 3);
    assert.equal(await registry.incarnation(), 3);
  });

  test('an actor is created once, and only for a ready template of its revision', async () => {
    assert.equal(await registry.createActor(actor('one', 'nothing')), 'template-gone');
    assert.equal(await registry.createActor(actor('one', 'counter', { revision: 'r2' })), 'template-gone');
    const record = actor('one', 'counter', { labels: { team: 'a' } });
    assert.equal(await registry.createActor(record), 'created');
    assert.equal(await registry.createActor(actor('one')), 'exists');
    assert.deepEqual(await registry.getActor('one'), record);
  });

  test('20 callers claim a sleeping actor: one gets it', async () => {
    await registry.announceNode(node('claimer', 100), 10_000);
    await registry.createActor(actor('claimed'));
    const results = await Promise.all(
      Array.from({ length: 20 }, () => registry.claim('claimed', 'claimer', 1000, 'a call')),
    );
    assert.deepEqual(
      results.filter((result) => result.outcome === 'claimed').map((result) => result.outcome),
      ['claimed'],
    );
    assert.equal(results.filter((result) => result.outcome === 'refused').length, 19);
    const record = await registry.getActor('claimed');
    assert.equal(record?.state, 'resuming');
    assert.match(record.epoch ?? '', /^3\.[0-9]+$/);
    assert.equal(record.node, 'claimer');
    assert.ok(record.deadlineAt !== undefined);
  });

  test('the operation of a claim stands if the claim does, and only then', async () => {
    await registry.announceNode(node('ordered', 1), 10_000);
    await registry.createActor(actor('first'));
    await registry.createActor(actor('second'));
    const [won, lost] = [operationOf('first', 'ordered'), operationOf('second', 'ordered')];
    assert.equal((await registry.claim('first', 'ordered', 1000, 'a call', won)).outcome, 'claimed');
    assert.equal((await registry.claim('second', 'ordered', 1000, 'a call', lost)).outcome, 'no-room');
    assert.deepEqual(await registry.getOperation(won.id), won);
    assert.equal(await registry.getOperation(lost.id), undefined);
  });

  test('an old epoch changes nothing; the right one moves; leaving the node frees its room', async () => {
    await registry.announceNode(node('small', 1), 10_000);
    await registry.createActor(actor('fenced'));
    await registry.createActor(actor('waiting'));
    const claim = await registry.claim('fenced', 'small', 1000, 'a call');
    assert.ok(claim.outcome === 'claimed');
    const { epoch } = claim;
    assert.deepEqual(await registry.claim('waiting', 'small', 1000, 'a call'), { outcome: 'no-room' });
    const move = { id: 'fenced', from: ['resuming'], to: 'running', reason: 'woke' } as const;
    assert.deepEqual(await registry.transition({ ...move, epoch: '2.9' }), {
      outcome: 'refused',
      state: 'resuming',
      epoch,
    });
    assert.deepEqual(await registry.transition({ ...move, epoch }), { outcome: 'moved' });
    assert.deepEqual(await registry.transition({ ...move, epoch }), {
      outcome: 'refused',
      state: 'running',
      epoch,
    });
    assert.equal((await registry.getNode('small'))?.usedSlots, 1);
    const suspend = { id: 'fenced', epoch, reason: 'idle' } as const;
    await registry.transition({ ...suspend, from: ['running'], to: 'suspending', deadlineMs: 1000 });
    await registry.transition({
      ...suspend,
      from: ['suspending'],
      to: 'suspended',
      update: { generation: 1, logSeq: 2 },
    });
    const record = await registry.getActor('fenced');
    assert.equal(record?.generation, 1);
    assert.equal(record.node, undefined);
    assert.equal(record.deadlineAt, undefined);
    assert.deepEqual({ ...(await registry.getNode('small')) }.usedMemoryMiB, 0);
    assert.equal((await registry.claim('waiting', 'small', 1000, 'a call')).outcome, 'claimed');
  });

  test('a paused actor keeps its node but no room, and wakes nowhere else', async () => {
    for (const id of ['den', 'elsewhere']) await registry.announceNode(node(id, 1), 10_000);
    await registry.createActor(actor('napping'));
    await registry.createActor(actor('guest'));
    const claim = await registry.claim('napping', 'den', 1000, 'a call');
    assert.ok(claim.outcome === 'claimed');
    const move = { id: 'napping', epoch: claim.epoch, reason: 'test' } as const;
    await registry.transition({ ...move, from: ['resuming'], to: 'running' });
    await registry.transition({ ...move, from: ['running'], to: 'pausing', deadlineMs: 1000 });
    await registry.transition({ ...move, from: ['pausing'], to: 'paused' });
    const den = await registry.getNode('den');
    assert.deepEqual([den?.usedSlots, den?.usedMemoryMiB, den?.revisions], [0, 0, ['r1']]);
    assert.deepEqual(await registry.actorsOnNode('den'), ['napping']);
    const look = { id: 'napping', state: 'paused', epoch: claim.epoch, node: 'den' };
    assert.deepEqual(await registry.looksOnNode('den'), [look]);
    assert.deepEqual(await registry.claim('napping', 'elsewhere', 1000, 'a call'), {
      outcome: 'refused',
      state: 'paused',
    });
    // Its suspend needs no room either: a guest may take it meanwhile, and both are accounted for.
    await registry.transition({ ...move, from: ['paused'], to: 'suspending', deadlineMs: 1000 });
    assert.equal((await registry.claim('guest', 'den', 1000, 'a call')).outcome, 'claimed');
    await registry.transition({ ...move, from: ['suspending'], to: 'paused' });
    assert.deepEqual(await registry.claim('napping', 'den', 1000, 'a call'), { outcome: 'no-room' });
    assert.deepEqual((await registry.actorsOnNode('den')).sort(), ['guest', 'napping']);
    await registry.transition({ ...move, from: ['paused'], to: 'suspended' });
    assert.deepEqual(await registry.actorsOnNode('den'), ['guest']);
    const after = await registry.getNode('den');
    assert.deepEqual([after?.usedSlots, after?.usedMemoryMiB], [1, 256]);
    const { node: at, lastNode } = { ...(await registry.getActor('napping')) };
    assert.deepEqual([at, lastNode], [undefined, 'den']);
  });

  test('a node without a lease gets nothing, and a lost lease is not renewed', async () => {
    const record = node('leased');
    assert.equal(await registry.announceNode(record, 10_000), true);
    assert.equal(await registry.announceNode({ ...record, bootId: randomUUID() }, 10_000), false);
    assert.equal(await registry.renewLease('leased', record.bootId, 10_000), 'held');
    const successor = { ...record, bootId: randomUUID() };
    assert.equal(await registry.announceNode(successor, 10_000, randomUUID()), false);
    assert.equal(
      await registry.announceNode(successor, 10_000, record.bootId),
      true,
      'its predecessor is known to be dead',
    );
    assert.equal(await registry.renewLease('leased', record.bootId, 10_000), 'taken');
    assert.equal(await registry.retakeLease(record, 10_000), false);
    assert.equal(await registry.announceNode(record, 10_000, successor.bootId), true);
    await registry.releaseLease('leased', record.bootId);
    assert.equal(await registry.renewLease('leased', record.bootId, 10_000), 'gone');
    await registry.createActor(actor('homeless'));
    assert.equal((await registry.claim('homeless', 'leased', 1000, 'a call')).outcome, 'no-room');
  });

  test('a lease that ran out is taken back by its boot, until that boot is declared over', async () => {
    const record = node('lapsed');
    assert.equal(
      await registry.retakeLease(record, 10_000),
      true,
      'a registry that forgot the node learns of it again',
    );
    assert.equal((await registry.getNode('lapsed'))?.bootId, record.bootId);
    assert.equal(await registry.declareNodeOver('lapsed'), false, 'it holds its lease');
    await registry.setNodeState('lapsed', 'draining');
    await registry.releaseLease('lapsed', record.bootId);
    assert.equal(await registry.retakeLease({ ...record, bootId: randomUUID() }, 10_000), false, 'not its lease');
    assert.equal(await registry.retakeLease(record, 10_000), true);
    assert.equal(await registry.retakeLease(record, 10_000), true, 'again, as after a lost answer');
    assert.equal((await registry.getNode('lapsed'))?.state, 'draining', 'what it was told meanwhile stands');
    await registry.releaseLease('lapsed', record.bootId);
    assert.equal(await registry.declareNodeOver('lapsed'), true);
    assert.equal(await registry.retakeLease(record, 10_000), false);
    const successor = { ...record, bootId: randomUUID() };
    assert.equal(await registry.announceNode(successor, 10_000), true);
    await registry.releaseLease('lapsed', successor.bootId);
    assert.equal(await registry.retakeLease(successor, 10_000), true, 'the verdict was on another boot');
  });

  test('a passed deadline is found', async () => {
    await registry.announceNode(node('slow'), 10_000);
    await registry.createActor(actor('overdue'));
    await registry.claim('overdue', 'slow', -1, 'a call');
    assert.ok((await registry.overdueActors(10)).includes('overdue'));
    assert.ok((await registry.actorsOnNode('slow')).includes('overdue'));
  });

  test('one event for each change and none for a refusal, also of templates and nodes', async () => {
    const start = await registry.newestEvent();
    const record = node('told');
    await registry.announceNode(record, 10_000);
    await registry.createTemplate(template('told'));
    await registry.updateTemplate({ ...template('told'), state: 'failed' }, ['preparing']); // refused: it is ready
    await registry.createActor(actor('told', 'told'));
    await registry.createActor(actor('told', 'told')); // exists
    const claim = await registry.claim('told', 'told', 1000, 'a call');
    assert.ok(claim.outcome === 'claimed');
    await registry.claim('told', 'told', 1000, 'a call'); // taken
    const { epoch } = claim;
    const move = { id: 'told', epoch, from: ['resuming'], to: 'running', reason: 'woke' } as const;
    await registry.transition({ ...move, epoch: '1.0' }); // stale
    await registry.transition({ ...move, update: { generation: 3 }, phases: { vmm: 2.5 } });
    await registry.setNodeState('told', 'draining');
    await registry.setNodeState('told', 'draining'); // it is
    await registry.releaseLease('told', record.bootId);
    await registry.declareNodeOver('told');
    await registry.declareNodeOver('told'); // it is
    const { events, next, gap } = await registry.readEvents(start, 100);
    assert.deepEqual(
      events.map(({ type, subject, from, to }) => [type, subject, from, to]),
      [
        ['node', 'told', undefined, 'ready'],
        ['template', 'told', undefined, 'ready'],
        ['actor', 'told', undefined, 'suspended'],
        ['actor', 'told', 'suspended', 'resuming'],
        ['actor', 'told', 'resuming', 'running'],
        ['node', 'told', 'ready', 'draining'],
        ['node', 'told', 'draining', 'gone'],
        ['node', 'told', 'gone', 'over'],
      ],
    );
    const { cause, generation, phases, node: at, epoch: held } = { ...events[4] };
    assert.deepEqual([cause, generation, phases, at, held], ['woke', 3, { vmm: 2.5 }, 'told', epoch]);
    assert.deepEqual([next, gap], [events.at(-1)?.id, false]);
    assert.equal(await registry.newestEvent(), next);
    const half = await registry.readEvents(events[2]?.id ?? '', 3);
    assert.deepEqual(half.events, events.slice(3, 6));
  });

  test('listing pages in id order and filters', async () => {
    await registry.createTemplate(template('paged'));
    for (let index = 0; index < 25; index++) {
      await registry.createActor(
        actor(`page-${String(index).padStart(2, '0')}`, 'paged', {
          labels: { parity: index % 2 === 0 ? 'even' : 'odd' },
        }),
      );
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await registry.listActors({ template: 'paged', label: 'parity=odd' }, 5, cursor);
      seen.push(...page.items.map((item) => item.id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.equal(seen.length, 12);
    assert.deepEqual(seen, [...seen].sort());
    const all = await registry.listActors({ template: 'paged' }, 25);
    assert.equal(all.nextCursor, undefined);
    assert.equal(all.items.length, 25);
    const begun = async (prefix: string, after?: string) =>
      (await registry.listActors({ prefix }, 50, after)).items.map(({ id }) => id);
    assert.equal((await begun('page-1')).length, 10);
    assert.deepEqual(await begun('page-1', 'page-18'), ['page-19']);
    assert.deepEqual([await begun('page-07'), await begun('page-x')], [['page-07'], []]);
  });

  test('a template in use is not deleted; an unused one is', async () => {
    assert.equal(await registry.beginDeleteTemplate('paged'), 'in-use');
    await registry.createTemplate(template('unused'));
    assert.equal(await registry.beginDeleteTemplate('unused'), 'deleting');
    await registry.removeTemplate('unused');
    assert.equal(await registry.getTemplate('unused'), undefined);
  });

  test('an actor is removed only while deleting, and listeners hear of it', async () => {
    const record = actor('doomed');
    await registry.createActor(record);
    const changes: Change[] = [];
    using _watch = registry.watch((change) => {
      if (change.kind === 'actor' && change.id === 'doomed') changes.push(change);
    });
    await registry.removeActor('doomed', record.uid);
    assert.ok(await registry.getActor('doomed'));
    // The subscription may still be on its way: repeat it all until its end is heard.
    const deadline = Date.now() + 10_000;
    while (!changes.some(({ state }) => state === 'gone') && Date.now() < deadline) {
      if ((await registry.getActor('doomed')) === undefined) await registry.createActor(record);
      await registry.transition({
        id: 'doomed',
        from: ['suspended', 'deleting'].slice(0, 1) as ['suspended'],
        to: 'deleting',
        deadlineMs: 1000,
        reason: 'asked',
      });
      await registry.removeActor('doomed', record.uid);
    }
    assert.ok(changes.some(({ state }) => state === 'gone'));
  });

  test('whoever listens hears of what it asked for: where an actor runs, and what ended with its start', async () => {
    await registry.announceNode(node('stage'), 10_000);
    const record = actor('heard');
    await registry.createActor(record);
    const heard = { all: [] as Change[], fleet: [] as Change[], wakes: [] as Change[] };
    using _all = registry.watch((change) => heard.all.push(change));
    using _fleet = registry.watchFleet((change) => heard.fleet.push(change));
    using _wakes = registry.watchWakes((change) => heard.wakes.push(change));
    const lastStart = { kind: 'warm', at: now(), phases: { queue: 2.5 } } as const;
    const wakeOnce = async () => {
      const operation = operationOf('heard', 'stage');
      const claim = await registry.claim('heard', 'stage', 1000, 'a call', operation);
      assert.ok(claim.outcome === 'claimed');
      const move = { id: 'heard', epoch: claim.epoch, reason: 'test' } as const;
      const done = { ...operation, state: 'done', finishedAt: now() } as const;
      await registry.transition({ ...move, from: ['resuming'], to: 'running', update: { lastStart }, operation: done });
      await registry.transition({ ...move, from: ['running'], to: 'suspending', deadlineMs: 1000 });
      await registry.transition({ ...move, from: ['suspending'], to: 'suspended' });
      await registry.setNodeState('stage', 'ready');
      return { epoch: claim.epoch, operationId: operation.id };
    };
    // The subscriptions may still be on their way: repeat it all until each is heard.
    const hasEach = (): boolean => Object.values(heard).every((changes) => changes.length > 0);
    const deadline = Date.now() + 10_000;
    while (!hasEach() && Date.now() < deadline) await wakeOnce();
    const { epoch, operationId } = await wakeOnce();
    const aboutIt = () => heard.all.filter((change) => change.kind === 'actor' && change.epoch === epoch);
    await until(() => aboutIt().at(-1)?.state === 'suspended', {
      ...{ signal: AbortSignal.timeout(10_000), everyMs: 1, what: 'its last change' },
    });
    const about = aboutIt();
    assert.deepEqual(
      about.map(({ state }) => state),
      ['running', 'suspending', 'suspended'],
    );
    const [start] = about;
    const started = { uid: record.uid, epoch, node: 'stage', lastStart };
    assert.ok(start?.kind === 'actor');
    assert.deepEqual(start.started, started);
    assert.ok(heard.all.some(({ kind, id, state }) => kind === 'operation' && id === operationId && state === 'done'));
    assert.ok(heard.fleet.every(({ kind }) => kind === 'node' || kind === 'template'));
    assert.ok(heard.wakes.every(({ kind, id, state }) => kind === 'actor' && id === 'heard' && state === 'resuming'));
  });
}
