/** A bounded fuzz of the whole api, always the same seed; `npm run fuzz` runs as long as one likes. */
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fuzzApi } from '../infra/fuzz/fuzz-api.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { callCounter } from './counter-calls.ts';
import { startPlatform } from './platform.ts';

test('no request, well-formed or not, is answered by a 500, and the platform works on', async () => {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'dm-fuzz-'));
  resources.defer(() => removeTree(folder, tmpdir()));
  await using platform = await startPlatform();
  await platform.template('counter');
  await platform.client.actors.create({ id: 'alice', template: 'counter' });
  const report = await fuzzApi({ url: platform.url, seed: 4, examples: 5, folder });
  assert.equal(report.findings, 0, report.words);
  assert.ok(report.cases >= 400 && report.operations >= 20, `trivial: ${report.cases} requests`);
  assert.doesNotMatch(await platform.log('api'), /"code":"internal"/);

  await platform.template('counter', { name: 'after' });
  await platform.client.actors.create({ id: 'survivor', template: 'after' });
  assert.equal((await callCounter(platform.client, 'survivor')).count.memory, 1);
});
