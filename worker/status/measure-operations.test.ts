import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Operation } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { createMeters } from '../../shared/telemetry/meters.ts';
import { measureOperations } from './measure-operations.ts';

const operation = (fields: Partial<Operation>): Operation => ({
  ...{ id: randomUUID(), kind: 'resume', target: 'a', state: 'done' },
  ...{ createdAt: '2030-01-01T00:00:00.000Z', finishedAt: '2030-01-01T00:00:02.000Z' },
  ...fields,
});

test('what ended is counted once, as the registry took it', async () => {
  const meters = createMeters('worker');
  let taken = true;
  const registry = measureOperations(
    { putOperation: () => Promise.resolve(taken) } as Partial<Registry> as Registry,
    meters,
  );
  const { finishedAt: _finishedAt, ...running } = operation({ state: 'running' });
  await registry.putOperation(running);
  await registry.putOperation(operation({ phases: { boot: 1500, guest: 20 } }));
  await registry.putOperation(operation({ phases: { guest: 30 } }));
  const error = { code: 'vmm-failed', message: 'x', retryable: true, at: '2030-01-01T00:00:00.000Z' };
  await registry.putOperation(operation({ state: 'failed', error }));
  await registry.putOperation(operation({ kind: 'suspend', phases: { ship: 5 } }));
  taken = false;
  await registry.putOperation(operation({ phases: { guest: 30 } }));
  const lines = (await meters.text()).split('\n');
  for (const line of [
    'dormouse_wakes_total{start="cold",outcome="done"} 1',
    'dormouse_wakes_total{start="warm",outcome="done"} 1',
    'dormouse_wakes_total{start="none",outcome="vmm-failed"} 1',
    'dormouse_jobs_total{job="suspend",outcome="done"} 1',
    'dormouse_job_seconds_sum{job="resume"} 4',
    'dormouse_phase_seconds_count{job="resume",phase="guest"} 2',
    'dormouse_phase_seconds_count{job="suspend",phase="ship"} 1',
  ]) {
    assert.ok(lines.includes(line), `${line} in\n${lines.filter((one) => one.startsWith('dormouse')).join('\n')}`);
  }
});
