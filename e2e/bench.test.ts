import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { execa } from 'execa';
import { reportSchema } from '../bench/report/report.ts';
import { findLeftovers } from '../infra/test/leftovers.ts';
import { lookAround } from '../infra/test/surroundings.ts';
import { removeTree } from '../shared/process/remove-tree.ts';

/** The bench as a user runs it, all that it makes below one folder. */
const startBench = (folder: string, ...words: string[]) =>
  execa(process.execPath, ['bench/main.ts', ...words], {
    env: { TMPDIR: folder, DORMOUSE_ASSETS: process.env['DORMOUSE_ASSETS'] ?? path.resolve('.dormouse/assets') },
    reject: false,
    timeout: 180_000,
  });

async function temporaryFolder(resources: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dm-b-'));
  resources.defer(() => removeTree(folder, path.dirname(folder)));
  return folder;
}

suite('the bench', () => {
  test('measures both sides of a wake for real, and leaves nothing behind', async () => {
    await using resources = new AsyncDisposableStack();
    const folder = await temporaryFolder(resources);
    const before = await lookAround(folder);
    const json = path.join(await temporaryFolder(resources), 'report.json');
    const ended = await startBench(folder, '--quick', '--case', 'wake', '--json', json);
    assert.equal(ended.exitCode, 0, ended.stderr);
    const report = reportSchema.parse(JSON.parse(await readFile(json, 'utf8')));
    const measured = new Map(report.figures.map(({ name, count }) => [name, count]));
    for (const name of ['raw pooled wake running', 'raw started wake first answer', 'wake first answer']) {
      assert.equal(measured.get(`counter ${name}`), 2, `${name} in each of two rounds`);
    }
    assert.ok(report.verdicts.some(({ of, ratio }) => of === 'counter wake first answer' && ratio !== undefined));
    const phases = report.figures.find(({ name }) => name === 'counter wake first answer')?.phases ?? {};
    assert.ok(
      ['queue', 'load', 'total'].every((phase) => phase in phases),
      Object.keys(phases).join(', '),
    );
    assert.match(ended.stdout, /counter raw suspend durable/);
    assert.deepEqual(await findLeftovers(folder, before), []);
  });

  test('Ctrl-C in the middle of a raw boot ends everything', async () => {
    await using resources = new AsyncDisposableStack();
    const folder = await temporaryFolder(resources);
    const before = await lookAround(folder);
    const bench = startBench(folder, '--quick', '--case', 'wake');
    bench.stderr.on('data', (chunk: Buffer) => {
      if (chunk.includes('raw harness: booting')) bench.kill('SIGINT');
    });
    const ended = await bench;
    assert.equal(ended.exitCode, 130, ended.stderr);
    assert.deepEqual(await findLeftovers(folder, before), []);
  });
});
