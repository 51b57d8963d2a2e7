import assert from 'node:assert/strict';
import { glob, mkdtemp, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { hostArchitecture } from '../shared/assets/asset-folder.ts';
import { stageZygote } from '../shared/assets/ship-zygote.ts';
import { zygoteRecordSchema, zygotesFolder } from '../shared/assets/zygote-folder.ts';
import { openObjectStore } from '../shared/object-store/open.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { callCounter, callTimes, suspend } from './counter-calls.ts';
import { startPlatform } from './platform.ts';

suite('zygotes', () => {
  test('after one boot, what starts from nothing starts from its zygote, and is nobody’s twin', async () => {
    await using resources = new AsyncDisposableStack();
    // The sets of this machine with no zygotes beside them.
    const assets = await mkdtemp(path.join(tmpdir(), 'dm-assets-'));
    resources.defer(() => removeTree(assets, tmpdir()));
    const shared = process.env['DORMOUSE_ASSETS'] ?? '.dormouse/assets';
    await symlink(await realpath(path.join(shared, hostArchitecture())), path.join(assets, hostArchitecture()));
    await using platform = await startPlatform({ environment: { DORMOUSE_NODES: '1', DORMOUSE_ASSETS: assets } });
    const { client } = platform;
    const startCold = async (id: string, template: string): Promise<{ nonce: string; steps: string[] }> => {
      await client.actors.create({ id, template, coldStart: true });
      const { count, start } = await callCounter(client, id);
      assert.deepEqual([count.memory, start], [1, 'cold'], id);
      const phases = Object.keys((await client.actors.get(id)).lastStart?.phases ?? {});
      return { nonce: count.nonce, steps: phases.filter((name) => name === 'boot' || name === 'zygote') };
    };

    await platform.template('counter');
    const one = await startCold('one', 'counter');
    const two = await startCold('two', 'counter');
    assert.deepEqual([one.steps, two.steps], [['zygote'], ['zygote']], 'the preparation booted, and kept it');
    assert.notEqual(one.nonce, two.nonce, 'both drew their own random numbers');
    await suspend(client, 'one');
    assert.equal((await callTimes(client, 'one', 1))[0]?.count.memory, 2, 'it sleeps and wakes like any other');
    await suspend(client, 'one');
    await suspend(client, 'two');

    // As `npm run assets -- stage` does, without uploading the whole set.
    const store = await openObjectStore(`file://${path.join(platform.home, 'store')}`);
    const [record] = await Promise.all(
      (await Array.fromAsync(glob(path.join(assets, 'zygotes', '*', 'zygote.json')))).map((file) =>
        readFile(file, 'utf8'),
      ),
    );
    const { machine } = zygoteRecordSchema.parse(JSON.parse(record ?? ''));
    assert.equal(await stageZygote(store, zygotesFolder(assets), machine), 'uploaded');
    await removeTree(zygotesFolder(assets), assets);
    assert.deepEqual((await startCold('fetched', 'counter')).steps, ['zygote'], 'a machine without one fetched it');
    await suspend(client, 'fetched');
    await Array.fromAsync(store.list('zygotes/')).then((objects) =>
      Promise.all(objects.map(({ key }) => store.delete(key))),
    );

    const [memory = ''] = await Array.fromAsync(glob(path.join(assets, 'zygotes', '*', 'memory')));
    const bytes = await readFile(memory);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 0x01;
    await writeFile(memory, bytes);
    assert.deepEqual((await startCold('three', 'counter')).steps, ['boot'], 'a damaged one is not used');
    await platform.template('pair');
    assert.deepEqual((await startCold('four', 'pair')).steps, ['zygote'], 'one serves all templates of a size');
  });
});
