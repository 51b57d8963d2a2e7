import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { NodeStatus } from '../../shared/registry/records.ts';
import { chooseNode } from './placement.ts';

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
    assert.deepEqual(choice.reasons, {
      dying: 'its lease is over',
      draining: 'it is draining',
      full: 'all 2 slots are taken',
      small: '224 MiB free, 256 MiB needed',
      other: 'cannot load the snapshot (kernel: needs 6, has 5)',
      tried: 'another actor took its last room',
    });
  });

  test('the preferred node if it fits, else the one with most free memory', () => {
    const nodes = [node('a', { usedMemoryMiB: 512 }), node('b', { usedMemoryMiB: 256 }), node('c', { usedSlots: 2 })];
    assert.equal(chosen(nodes), 'b');
    assert.equal(chosen(nodes, { preferred: 'a' }), 'a');
    assert.equal(chosen(nodes, { preferred: 'c' }), 'b');
    assert.equal(chosen(nodes, { preferred: 'c', only: true }), undefined);
    assert.equal(chosen(nodes, { preferred: 'a', only: true }), 'a');
  });

  test('a template without a golden fits any live node; of equals the first by name', () => {
    const nodes = [node('b', { runtime: { ...runtime, arch: 'arm64' } }), node('a')];
    assert.equal(chosen(nodes, { runtime: undefined }), 'a');
  });
});
