/** The load test against a real platform: small numbers, the whole way from the command line to a page in a browser. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { execa } from 'execa';
import { findChromium, openPage } from '../loadtest/browser.ts';
import { readResult } from '../loadtest/result/result.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { startPlatform } from './platform.ts';

suite('the load test', () => {
  test('warm, hot and burst of the counter: a result that keeps to its schema, a page, two runs compared', async (t) => {
    await using resources = new AsyncDisposableStack();
    const folder = await mkdtemp(path.join(tmpdir(), 'dm-load-'));
    resources.defer(() => removeTree(folder, tmpdir()));
    await using platform = await startPlatform();
    await platform.template('counter');
    const file = (name: string): string => path.join(folder, name);
    // Through the command that users have, which hands over to the load test.
    const loadtest = async (...words: string[]): Promise<string> => {
      const ended = await execa(process.execPath, ['cli/dormouse.mjs', 'loadtest', ...words], { timeout: 180_000 });
      t.diagnostic(ended.stdout);
      return ended.stdout;
    };
    const measured = ['--url', platform.url, '--rounds', '2', '--warm-up', '1'];
    await loadtest(...measured, ...['--scenario', 'warm', '--json', file('warm.json'), '--html', file('warm.html')]);
    await loadtest(...measured, ...['--scenario', 'hot', '--calls', '20', '--json', file('hot.json')]);
    await loadtest(...measured, ...['--scenario', 'burst', '--actors', '3', '--json', file('burst.json')]);
    assert.equal(await countActors(platform.client), 0, 'the load test deletes what it made');

    const [warm, hot, burst] = await Promise.all(
      ['warm', 'hot', 'burst'].map((name) => readResult(file(`${name}.json`))),
    );
    assert.ok(warm && hot && burst);
    const counted = [warm, hot, burst].flatMap(({ summaries }) =>
      summaries.map(({ name, expects, calls, counted: used }) => [name, expects, calls, used]),
    );
    assert.deepEqual(counted, [
      ['warm', 'warm', 2, 2],
      ['warm, other node', 'warm', 2, 2],
      ['hot', 'hot', 40, 40],
      ['burst of 3', 'warm', 6, 6],
    ]);
    for (const phase of ['queue', 'memory', 'guest', 'app', 'total', 'outside']) {
      assert.ok(phase in (warm.summaries[0]?.phasesP50Ms ?? {}), `the phase ${phase} is there`);
    }
    assert.ok(
      burst.sleeps.every(({ shippedBytes = 0 }) => shippedBytes > 0),
      'every suspend shipped something',
    );
    assert.ok(burst.looks.some(({ nodes }) => nodes.some(({ usedMemoryMiB }) => usedMemoryMiB > 0)));

    const compared = await loadtest('--compare', file('warm.json'), file('warm.json'));
    assert.match(compared, /\nwarm +100\.0% +100\.0% .*1\.00 ×/);
    await using opened = await openPage(await readFile(file('warm.html'), 'utf8'), await findChromium());
    assert.deepEqual(opened.complaints, []);
    assert.ok(await opened.page.getByText('Phases: warm, other node').isVisible());
  });
});

async function countActors(client: Awaited<ReturnType<typeof startPlatform>>['client']): Promise<number> {
  return (await client.actors.page()).items.length;
}
