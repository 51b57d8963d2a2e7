import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStatusServer } from './server.ts';

test('healthy while it turns, ready while it serves', async () => {
  let serves = false;
  await using server = await startStatusServer('127.0.0.1', 0, () => serves);
  const status = async (path: string, init?: RequestInit): Promise<number> =>
    (await fetch(`${server.url}${path}`, init)).status;
  assert.equal(await status('/healthz'), 200);
  assert.equal(await status('/readyz'), 503);
  serves = true;
  assert.equal(await status('/readyz'), 200);
  assert.equal(await status('/readyz', { method: 'POST' }), 405);
  assert.equal(await status('/'), 404);
});

test('a port that is taken is an error at the start', async () => {
  await using server = await startStatusServer('127.0.0.1', 0, () => true);
  await assert.rejects(
    startStatusServer('127.0.0.1', Number(new URL(server.url).port), () => true),
    {
      code: 'EADDRINUSE',
    },
  );
});
