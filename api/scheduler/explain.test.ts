import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import { actorStates, type ActorState } from '../../shared/actor/lifecycle.ts';
import type { ActorRecord, NodeStatus, TemplateRecord } from '../../shared/registry/records.ts';
import { templateSpecSchema } from '../../shared/template/template-spec.ts';
import { standInRuntime } from '../stand-in/node.ts';
import { explainState } from './explain.ts';

const now = '2026-01-02T03:04:05.000Z';
const held: ReadonlySet<ActorState> = new Set(['resuming', 'running', 'pausing', 'paused', 'suspending']);

const actor = (state: ActorState, fields: Partial<ActorRecord> = {}): ActorRecord => ({
  ...{ id: 'a', uid: randomUUID(), template: 't', revision: 'r', state, since: now, createdAt: now, labels: {} },
  ...{ memoryMiB: 256, coldStart: false, generation: 7, generationSeq: 8, logSeq: 8, durableAt: now, reason: 'x' },
  ...(held.has(state) && { node: 'node-1', epoch: '1.1' }),
  ...fields,
});

const node = (fields: Partial<NodeStatus> = {}): NodeStatus => ({
  ...{ id: 'node-1', bootId: 'b', state: 'ready', ingressUrl: 'http://127.0.0.1:1', runtime: standInRuntime },
  ...{
    slots: 2,
    memoryMiB: 1024,
    startedAt: now,
    leaseMs: 10_000,
    usedSlots: 0,
    usedMemoryMiB: 0,
    revisions: [],
    returning: false,
  },
  ...fields,
});

const spec = templateSpecSchema.parse({ name: 't', containers: [{ name: 'main', image: 'oci:/i:m' }] });
const template: TemplateRecord = { name: 't', revision: 'r', spec, state: 'ready', since: now, createdAt: now };

const explain = (record: ActorRecord, nodes: NodeStatus[] = [node()], parkedCalls = 0) =>
  explainState(record, { nodes, template, parkedCalls });

suite('explain', () => {
  test('every state says what it waits for and what happens then', () => {
    for (const state of actorStates) {
      const { waitsFor, then } = explain(actor(state));
      assert.ok(waitsFor.length > 5 && then.length > 10, state);
    }
  });

  test('what a node holds falls back to a generation that is named, with its time', () => {
    for (const state of held)
      assert.match(explain(actor(state)).then, /falls back to generation 7 of 2026-01-02T/, state);
    assert.match(explain(actor('running', { generation: 0 })).then, /generation 0, the golden/);
    assert.match(explain(actor('paused')).then, /on node node-1 only/);
  });

  test('what holds up the next wake is said before a call runs into it', () => {
    const asleep = actor('suspended');
    assert.match(explain(asleep).then, /now that would be node-1/);
    assert.match(explain(asleep, [node({ usedSlots: 2 })]).then, /now none could: node-1: all 2 slots are taken/);
    const foreign = actor('suspended', { runtime: { ...standInRuntime, kernel: '5' } });
    assert.match(explain(foreign).then, /node-1: incompatible: kernel: needs 5, has 6/);
    assert.match(explain(asleep, []).then, /there are no nodes/);
    assert.match(explain(asleep, [node()], 2).waitsFor, /2 calls wait for it/);
    assert.match(explain(actor('resuming'), [node({ leaseMs: 0 })]).waitsFor, /that node is gone/);
  });
});
