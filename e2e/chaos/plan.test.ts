import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultNames } from './faults/names.ts';
import { planFaults } from './plan.ts';

test('a seed repeats its plan, another one makes another, and each fault has its turn', () => {
  const options = { durationMs: 120_000, faults: ['kill-api', 'kill-worker', 'stop-worker', 'kill-vmm'] } as const;
  const plan = planFaults({ seed: 7, ...options });
  assert.deepEqual(planFaults({ seed: 7, ...options }), plan);
  assert.notDeepEqual(planFaults({ seed: 8, ...options }), plan);
  assert.deepEqual(new Set(plan.map(({ fault }) => fault)), new Set(options.faults));
  const kills = plan.filter(({ fault }) => fault === 'kill-api').map(({ atMs }) => atMs);
  assert.ok(kills.length > 1);
  for (const [index, atMs] of kills.slice(1).entries()) assert.ok(atMs - (kills[index] ?? 0) >= 11_000);
});

test('each fault has its turn in a run that is short for so many, whatever the seed', () => {
  for (let seed = 0; seed < 200; seed++) {
    const plan = planFaults({ seed, durationMs: 30_000, faults: faultNames });
    assert.deepEqual(new Set(plan.map(({ fault }) => fault)), new Set(faultNames), `seed ${seed}`);
  }
});
