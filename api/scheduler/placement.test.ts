import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { NodeStatus } from '../../shared/registry/records.ts';
import { chooseNode, refusal } from './placement.ts';

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

const node = (id: string, fields: Partial<NodeStatus> = {}): NodeStatus => ({
  id,
  bootId: 'b',
  state: 'ready',
  ingressUrl: 'http://127.0.0.1:1',
  runtime,
  slots: 2,
  memoryMiB: 1024,
  startedAt: new Date(0).toISOString(),
  leaseMs: 10_000,
  usedSlots: 0,
  usedMemoryMiB: 0,
  revisions: [],
  returning: false,
  ...fields,
});

const need = { memoryMiB: 256, runtime };
const chosen = (nodes: NodeStatus[], more = {}): string | undefined => chooseNode(nodes, { ...need, ...more }).node?.id;

suite('placement', () => {
  test('each unfit node is passed over, with the reason', () => {
    const nodes = [
      node('dying', { leaseMs: 1999 }),
      node('draining', { state: 'draining' }),
      node('full', { usedSlots: 2 }),
      node('small', { usedMemoryMiB: 800 }),
      node('other', { runtime: { ...runtime, kernel: '5' } }),
      node('tried'),
    ];
    const choice = chooseNode(nodes, { ...need, without: new Set(['tried']) });
    assert.equal(choice.node, undefined);
    assert.deepEqual(Object.fromEntries(Object.entries(choice.unfit).map(([id, { reason }]) => [id, reason])), {
      dying: 'its lease is over',
      draining: 'it is draining',
      full: 'all 2 slots are taken',
      small: '224 MiB free, 256 MiB needed',
      other: 'incompatible: kernel: needs 6, has 5',
      tried: 'another actor took its last room',
    });
    assert.equal(refusal(choice.unfit).code, 'no-capacity');
  });

  test('a snapshot that no node can load is no matter of room', () => {
    const nodes = [
      node('a', { runtime: { ...runtime, kernel: '5' } }),
      node('b', { runtime: { ...runtime, arch: 'arm64' } }),
    ];
    const choice = chooseNode(nodes, need);
    assert.equal(choice.node, undefined);
    const error = refusal(choice.unfit);
    assert.equal(error.code, 'incompatible');
    assert.match(
      error.message,
      /a: incompatible: kernel: needs 6, has 5, b: incompatible: arch: needs amd64, has arm64/,
    );
    assert.equal(refusal({}).code, 'no-capacity', 'a node may still join');
    assert.equal(refusal(choice.unfit, 'c').code, 'node-not-found');
  });

  test('the one with most room, unless what the actor needs is at hand elsewhere and it is not crowded there', () => {
    const nodes = [node('a', { usedMemoryMiB: 256 }), node('b')];
    const revision = 'r1';
    assert.equal(chosen(nodes), 'b');
    assert.equal(chosen(nodes, { revision }), 'b');
    const knows = (usedMemoryMiB: number) => [node('a', { usedMemoryMiB, revisions: ['r1'] }), node('b')];
    assert.equal(chosen(knows(200), { revision }), 'a');
    assert.equal(chosen(knows(512), { revision }), 'b', 'crowded');
    assert.equal(chosen([node('a'), node('b')], { lastNode: 'b' }), 'b');
    assert.equal(chosen([node('a', { revisions: ['r1'] }), node('b')], { revision, lastNode: 'b' }), 'a');
    assert.equal(
      chosen([node('a', { slots: 10, usedSlots: 9 }), node('b', { usedMemoryMiB: 512 })]),
      'b',
      'scarce slots',
    );
  });

  test('the only node that will do, if it fits', () => {
    const nodes = [node('a', { usedMemoryMiB: 512 }), node('b'), node('c', { usedSlots: 2 })];
    assert.equal(chosen(nodes, { only: 'a' }), 'a');
    assert.equal(chosen(nodes, { only: 'c' }), undefined);
  });

  test('a template without a golden fits any live node; of equals the first by name', () => {
    const nodes = [node('b', { runtime: { ...runtime, arch: 'arm64' } }), node('a')];
    assert.equal(chosen(nodes, { runtime: undefined }), 'a');
  });
});
