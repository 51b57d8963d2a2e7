import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureFairness } from './fairness.ts';

const phases = 'network=0,lower=0,vmm=30,memory=0,load=0,guest=0,freeze=0,capture=0,boot=0,containers=0';

test('a lone actor does not wait for the whole burst of another template', async () => {
  const lanes = 40;
  const settings = { apis: 1, nodes: 1, jobs: 2, slots: 100, phases, lanes, measureMs: 1500 };
  // In one line with the burst it would come round as often as each of them, every time. On a machine that does other work
  // as well a second and a half may say little, so it is looked at up to three times.
  const seen: number[] = [];
  do {
    const { burst, duringBurst } = await measureFairness(settings, {
      say: () => undefined,
      signal: new AbortController().signal,
    });
    seen.push(duringBurst.rounds / (burst.rounds / lanes));
  } while (seen.length < 3 && !isFair(seen));
  assert.ok(isFair(seen), `rounds beside those of each of the burst: ${seen.join(', ')}`);
});

const isFair = (seen: readonly number[]): boolean => seen.some((ratio) => ratio >= 3);
