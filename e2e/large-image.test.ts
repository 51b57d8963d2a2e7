import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { execa } from 'execa';
import { builtTemplates } from '../infra/stack/bundled-templates.ts';
import { mountsBelow, removeTree } from '../shared/process/remove-tree.ts';
import { until } from '../shared/process/until.ts';
import { callCounter, suspend } from './counter-calls.ts';
import { makeLargeImage } from './large-image.ts';
import { startPlatform } from './platform.ts';

const sizeBytes = 3 * 1024 ** 3;
/** Three actors write some files and logs; a copy of the image would be 3 GiB each. */
const allowedGrowthBytes = 64 * 1024 ** 2;

suite('a 3 GiB image', () => {
  test('starts as a small one does, and its size on disk does not depend on the number of actors', async (t) => {
    await using resources = new AsyncDisposableStack();
    const folder = await mkdtemp(path.join(tmpdir(), 'dm-large-'));
    resources.defer(() => removeTree(folder, tmpdir()));
    const counter = (await builtTemplates(['counter']))['counter'];
    const small = counter?.spec.containers[0];
    assert.ok(counter && small);
    const image = await makeLargeImage(folder, small.image.split(':')[1] ?? '', sizeBytes);
    const spec = { ...counter.spec, name: 'large', containers: [{ ...small, image }] };
    await writeFile(path.join(folder, 'small.json'), JSON.stringify({ ...counter.spec, name: 'small' }));
    await writeFile(path.join(folder, 'large.json'), JSON.stringify(spec));

    // Without a pool: each sandbox in waiting has the image mounted, and `du` would count it as a copy.
    await using platform = await startPlatform({ environment: { DORMOUSE_NODES: '1', DORMOUSE_POOL_SIZE: '0' } });
    const report = path.join(folder, 'report.json');
    const { stdout } = await execa(process.execPath, [
      ...['loadtest/main.ts', '--url', platform.url, '--scenario', 'start', '--rounds', '3', '--json', report],
      ...['--template-file', path.join(folder, 'small.json'), '--template-file', path.join(folder, 'large.json')],
    ]);
    t.diagnostic(stdout);
    assert.match(await readFile(report, 'utf8'), /"cold/);

    await platform.client.templates.apply(spec);
    await platform.client.templates.waitReady('large');
    await platform.client.actors.create({ id: 'first', template: 'large' });
    await callCounter(platform.client, 'first');
    await suspend(platform.client, 'first');
    const before = await diskUse(platform.home);
    assert.ok(before > sizeBytes, 'the image is there, once');
    for (const id of ['second', 'third', 'fourth']) {
      await platform.client.actors.create({ id, template: 'large' });
      await callCounter(platform.client, id);
      await suspend(platform.client, id);
    }
    const growth = (await diskUse(platform.home)) - before;
    assert.ok(growth < allowedGrowthBytes, `three more actors took ${growth} bytes`);
  });
});

/**
 * Bytes that files below a folder take on its own file system, so without the tmpfs of guest memory. A VM that is still
 * being taken down has the image mounted, which `du` would count as a copy: wait until it is gone.
 */
async function diskUse(folder: string): Promise<number> {
  await until(async () => !(await mountsBelow(folder)).some((point) => path.basename(point) === 'rootfs'), {
    signal: AbortSignal.timeout(60_000),
    everyMs: 50,
    what: 'the last VM to let go of its image',
  });
  const { stdout } = await execa('du', ['--summarize', '--one-file-system', '--block-size=1', folder]);
  return Number(stdout.split('\t')[0]);
}
