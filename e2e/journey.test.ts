import assert from 'node:assert/strict';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { execa } from 'execa';
import { startFakeGcsServer } from '../infra/servers/fake-gcs-server.ts';
import { startVersitygw } from '../infra/servers/versitygw.ts';
import { hostArchitecture } from '../shared/assets/asset-folder.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { callCounter, getJson, resumeOn, otherNode, suspend } from './counter-calls.ts';
import { travel } from './journey.ts';
import { startPlatform } from './platform.ts';

async function temporaryFolder(resources: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dm-store-'));
  resources.defer(() => removeTree(folder, tmpdir()));
  return folder;
}

suite('an actor boots, answers, sleeps, ships, and wakes on the other node', () => {
  test('five generations with the folder store', async () => {
    await using platform = await startPlatform();
    await platform.template('counter');
    const count = await travel(platform, { template: 'counter', actor: 'alice', generations: 5 });
    assert.equal(count.memory, 30);

    const { client } = platform;
    const kept = await client.actors.generations('alice');
    assert.deepEqual(
      kept.map((generation) => generation.generation).sort(),
      [0, 3, 4, 5],
      'the golden and the newest three',
    );
    const { sizes } = await client.actors.get('alice');
    assert.ok(
      (sizes?.['shippedBytes'] ?? Infinity) < 2_000_000,
      'a generation ships the changed pages, not the memory',
    );
    const folders = await readdir(path.join(platform.home, 'store', 'actors', 'alice'));
    assert.equal(folders.length, 2, `a log and one life: ${folders.join(', ')}`);

    await client.actors.delete('alice');
    await waitUntilGone(() => client.actors.get('alice'));
    await client.actors.create({ id: 'alice', template: 'counter' });
    assert.equal((await callCounter(client, 'alice')).count.memory, 1, 'a new life shares nothing with the old one');
  });

  test('two generations with an S3 store', async () => {
    await using resources = new AsyncDisposableStack();
    const dir = await temporaryFolder(resources);
    const server = resources.use(await startVersitygw({ dir, buckets: ['dormouse'] }));
    Object.assign(process.env, server.environment);
    await using platform = await startPlatform({ storeUrl: server.storeUrl('dormouse', 'e2e') });
    await platform.template('counter');
    await travel(platform, { template: 'counter', actor: 'bob', generations: 2 });
  });

  test('nodes without an asset set take the one staged in the store', async () => {
    await using resources = new AsyncDisposableStack();
    const [assets, objects] = [await temporaryFolder(resources), await temporaryFolder(resources)];
    const storeUrl = `file://${objects}`;
    await execa('npm', ['run', 'assets', '--', 'stage', '--store', storeUrl]);
    await using platform = await startPlatform({ storeUrl, environment: { DORMOUSE_ASSETS: assets } });
    assert.ok((await readdir(path.join(assets, hostArchitecture()))).includes('current'), 'the set was fetched');
    await platform.template('counter');
    await travel(platform, { template: 'counter', actor: 'dave', generations: 1 });
  });

  test('two generations with a GCS store', async () => {
    await using resources = new AsyncDisposableStack();
    const dir = await temporaryFolder(resources);
    const server = resources.use(await startFakeGcsServer({ dir, buckets: ['dormouse'] }));
    await using platform = await startPlatform({ storeUrl: server.storeUrl('dormouse', 'e2e') });
    await platform.template('counter');
    await travel(platform, { template: 'counter', actor: 'carol', generations: 2 });
  });
});

suite('a root file system of its own', () => {
  test('a Node.js server and two containers in one VM travel too, with their whiteouts, renames and deletions', async () => {
    await using platform = await startPlatform();
    const { client } = platform;
    for (const template of ['node-counter', 'pair'] as const) {
      await platform.template(template);
      await travel(platform, { template, actor: `${template}-1`, generations: 2 });
      const id = `${template}-1`;
      const original = await getJson(client, id, '/files/check');
      assert.ok(original['delete-me'] !== null && original['rename-me'] !== null && original['renamed'] === null);
      const changed = await getJson(client, id, '/files');
      assert.deepEqual(
        { ...changed },
        {
          ...original,
          'delete-me': null,
          'rename-me': null,
          renamed: original['rename-me'],
          'overwrite-me': 'overwritten by the actor\n',
        },
      );
      const { node } = await client.actors.get(id);
      await suspend(client, id);
      await resumeOn(client, id, otherNode(node));
      assert.deepEqual(
        await getJson(client, id, '/files/check'),
        changed,
        'the changes are still there on the other node',
      );

      await client.actors.create({ id: `${template}-2`, template });
      assert.deepEqual(await getJson(client, `${template}-2`, '/files/check'), original, 'the lower is untouched');
    }
  });
});

async function waitUntilGone(look: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      await look();
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'actor-not-found');
      return;
    }
    assert.ok(Date.now() < deadline, 'the actor is still there');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
