import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeStatus } from '../../shared/registry/records.ts';
import { seeNodes } from './seen-nodes.ts';

const node = (usedSlots: number) => ({ id: 'node-1', usedSlots, usedMemoryMiB: usedSlots * 128 }) as NodeStatus;

test('one look serves all who ask at once, with what was placed since', async () => {
  let looks = 0;
  const seen = seeNodes({ listNodes: () => Promise.resolve([node(looks++)]) });
  const never = -Infinity; // as old as may be
  const [one, two] = await Promise.all([seen.list(never), seen.list(never)]);
  assert.deepEqual(one, [node(0)]);
  assert.equal(two, one);
  seen.place('node-1', 128);
  seen.place('another', 128);
  assert.deepEqual(await seen.list(never), [node(1)]);
  assert.equal(looks, 1);
  assert.deepEqual(await seen.list(Infinity), [node(1)], 'looked again');
  assert.equal(looks, 2);
});

test('a look that failed is made again', async () => {
  let looks = 0;
  const listNodes = () => (looks++ === 0 ? Promise.reject(new Error('no Redis')) : Promise.resolve([node(0)]));
  const seen = seeNodes({ listNodes });
  await assert.rejects(seen.list(), /no Redis/);
  assert.deepEqual(await seen.list(), [node(0)]);
});
