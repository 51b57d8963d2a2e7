import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { lockNode } from './node-lock.ts';

test('one worker holds a node folder; the next one knows which boot is over', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-node-'));
  {
    await using first = await lockNode(folder, 'boot-1');
    assert.equal(first.deadBootId, undefined);
    await assert.rejects(lockNode(folder, 'boot-2'), { code: 'precondition-missing' });
  }
  await using second = await lockNode(folder, 'boot-3');
  assert.equal(second.deadBootId, 'boot-1', 'the refused one left no trace');
  await rm(folder, { recursive: true });
});
