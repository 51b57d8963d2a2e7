import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureSleepers } from './sleepers.ts';

const phases = 'network=0,lower=0,vmm=0,memory=0,load=0,guest=0,freeze=0,capture=0,boot=0,containers=0';

test('sleeping actors that were written through the library are found by a rebuild, and wake', async () => {
  const size = { apis: 1, nodes: 1, jobs: 8, slots: 100, phases };
  const result = await measureSleepers(
    { ...size, actors: 200, rounds: 5, vms: false },
    { say: () => undefined, signal: new AbortController().signal },
  );
  assert.equal(result.actors, 200);
  assert.ok(result.storeBytesPerActor < 3000, `${result.storeBytesPerActor} bytes of log and of a small capture`);
});
