import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeters } from '../../shared/telemetry/meters.ts';
import { startStatusServer } from './server.ts';

const meters = createMeters('worker');

test('healthy while it turns, ready while it serves', async () => {
  let serves = false;
  await using server = await startStatusServer('127.0.0.1', 0, { serves: () => serves, meters });
  const status = async (path: string, init?: RequestInit): Promise<number> =>
    (await fetch(`${server.url}${path}`, init)).status;
  assert.equal(await status('/healthz'), 200);
  assert.equal(await status('/readyz'), 503);
  serves = true;
  assert.equal(await status('/readyz'), 200);
  assert.equal(await status('/readyz', { method: 'POST' }), 405);
  assert.equal(await status('/'), 404);
  meters.count('dormouse_wakes_total', { start: 'warm', outcome: 'done' });
  meters.read('dormouse_node_slots_used', () => 3);
  meters.read('dormouse_queue_jobs', () => Promise.reject(new Error('Redis is away')));
  const scraped = await fetch(`${server.url}/metrics`);
  assert.match(scraped.headers.get('content-type') ?? '', /^text\/plain; version=/);
  const lines = (await scraped.text()).split('\n');
  for (const line of ['dormouse_wakes_total{start="warm",outcome="done"} 1', 'dormouse_node_slots_used 3']) {
    assert.ok(lines.includes(line), line);
  }
  assert.ok(!lines.some((line) => line.startsWith('dormouse_queue_jobs ')), 'what could not be read is left out');
  assert.ok(lines.some((line) => line.startsWith('nodejs_eventloop_lag_p99_seconds ')));
});

test('a port that is taken is an error at the start', async () => {
  await using server = await startStatusServer('127.0.0.1', 0, { serves: () => true, meters });
  await assert.rejects(
    startStatusServer('127.0.0.1', Number(new URL(server.url).port), { serves: () => true, meters }),
    {
      code: 'EADDRINUSE',
    },
  );
});
