import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { watchEventLoop } from './event-loop.ts';

/** Looks until it holds. */
async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < end, `did not come to hold: ${holds.toString()}`);
    await delay(10);
  }
}

test('a loop that was held up says so until it has been read', async () => {
  using watch = watchEventLoop();
  const heldUpMs = 1000;
  await delay(200); // the watch looks every 50 ms, and needs a look before and one after
  const end = performance.now() + heldUpMs;
  while (performance.now() < end);
  await delay(200);
  assert.ok(watch.read().maxMs >= heldUpMs / 2);
  await until(() => watch.read().maxMs < heldUpMs / 2);
});
