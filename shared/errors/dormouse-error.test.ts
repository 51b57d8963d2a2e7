import assert from 'node:assert/strict';
import { mkdtemp, open } from 'node:fs/promises';
import { test } from 'node:test';
import { DormouseError, toDormouseError } from './dormouse-error.ts';

test('what a full disk throws is told apart from a defect', async () => {
  await using device = await open('/dev/full', 'w'); // the kernel's own full disk
  const refused: unknown = await device.write('x').catch((error: unknown) => error);
  const error = toDormouseError(refused);
  assert.deepEqual([error.code, error.retryable, error.cause], ['disk-full', true, refused]);
  const missing: unknown = await mkdtemp('/nowhere/').catch((cause: unknown) => cause);
  assert.equal(toDormouseError(missing).code, 'internal');
  assert.equal(toDormouseError('words').message, 'words');
  const known = new DormouseError('vmm-failed', 'known');
  assert.equal(toDormouseError(known), known);
});
