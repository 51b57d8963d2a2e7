import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createMeters } from './meters.ts';
import { metrics, type MetricFacts } from './metrics.ts';

const facts = Object.entries(metrics) as [string, MetricFacts][];

test('docs/metrics.md and the table of metrics say the same, both ways', async () => {
  const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const documented = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const expected = facts.map(([name, { kind, of, labels, help }]) => [
    `\`${name}\``,
    kind,
    of === 'both' ? 'api, worker' : of,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  assert.deepEqual(documented, expected);
});

test('names follow the rules of Prometheus, and no label is an id', () => {
  for (const [name, { kind, labels }] of facts) {
    assert.match(name, /^dormouse_[a-z_]+$/);
    assert.equal(kind === 'counter', name.endsWith('_total'), name);
    if (kind === 'histogram') assert.match(name, /_seconds$/);
    for (const label of labels) assert.doesNotMatch(label, /id$|actor|node|template|epoch|tenant/);
  }
});

test('two processes in one have each their own numbers, and only what is theirs', async () => {
  const [one, other] = [createMeters('api'), createMeters('api')];
  one.count('dormouse_reaper_actions_total', { action: 'delete-again' }, 2);
  one.count('dormouse_wakes_total', { start: 'warm', outcome: 'done' });
  assert.match(await one.text(), /^dormouse_reaper_actions_total\{action="delete-again"\} 2$/m);
  assert.doesNotMatch(await other.text(), /action="delete-again"/);
  assert.doesNotMatch(await one.text(), /dormouse_wakes_total/, 'it is the worker that counts wakes');
});
