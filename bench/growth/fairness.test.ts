import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureFairness } from './fairness.ts';

const phases = 'network=0,lower=0,vmm=30,memory=0,load=0,guest=0,freeze=0,capture=0,boot=0,containers=0';

test('a lone actor does not wait for the whole burst of another template', async () => {
  const lanes = 40;
  const settings = { apis: 1, nodes: 1, jobs: 2, slots: 100, phases, lanes, measureMs: 1500 };
  const { burst, duringBurst } = await measureFairness(settings, {
    say: () => undefined,
    signal: new AbortController().signal,
  });
  // In one line with the burst it would come round as often as each of them.
  const eachOfBurst = burst.rounds / lanes;
  assert.ok(duringBurst.rounds >= 3 * eachOfBurst, `${duringBurst.rounds} rounds, each of the burst ${eachOfBurst}`);
});
