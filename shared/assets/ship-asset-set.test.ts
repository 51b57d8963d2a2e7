import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { openObjectStore } from '../object-store/open.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { verifyAssetSet, type AssetSetContents } from './asset-set.ts';
import { writeSampleSet } from './sample-asset-set.ts';
import { fetchAssetSet, objectKey, openOrFetchAssetSet, stageAssetSet, stagedAssetSet } from './ship-asset-set.ts';

interface Scene {
  readonly store: ObjectStore;
  readonly source: string;
  readonly contents: AssetSetContents;
  readonly node: string;
}

async function scene(context: TestContext): Promise<Scene> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ship-'));
  context.after(() => rm(folder, { recursive: true }));
  const store = await openObjectStore(`file://${folder}/store`);
  await store.check();
  context.after(() => store.close());
  const source = await mkdtemp(path.join(folder, 'source-'));
  return { store, source, contents: await writeSampleSet(source), node: path.join(folder, 'node') };
}

const corrupt = (store: ObjectStore, key: string, text: string): Promise<void> =>
  store.put(key, { kind: 'bytes', bytes: Buffer.from(text) });

test('a staged set arrives on another node as it was', async (context) => {
  const { store, source, contents, node } = await scene(context);
  const progress: number[] = [];
  const staged = await stageAssetSet(store, source, { onFile: (done) => progress.push(done) });
  assert.deepEqual(staged, { digest: contents.digest, uploaded: true });
  assert.equal(progress.length, contents.files.length);
  assert.equal(await stagedAssetSet(store, 'amd64'), contents.digest);

  const fetched = await fetchAssetSet(store, contents.digest, node);
  assert.deepEqual((await verifyAssetSet(fetched.root)).contents, contents);
  const program = await stat(path.join(fetched.root, contents.roles.vmm));
  assert.equal(program.mode & 0o777, 0o755);
});

test('a set is uploaded once', async (context) => {
  const { store, source } = await scene(context);
  await stageAssetSet(store, source);
  const again = await stageAssetSet(store, source, { onFile: () => assert.fail('a file went up again') });
  assert.equal(again.uploaded, false);
});

test('an upload that was cut before set.json is done again', async (context) => {
  const { store, source, contents, node } = await scene(context);
  await stageAssetSet(store, source);
  await store.delete(objectKey(contents.digest, 'set.json'));
  await assert.rejects(fetchAssetSet(store, contents.digest, node), { code: 'store-object-missing' });
  assert.equal((await stageAssetSet(store, source)).uploaded, true);
  await fetchAssetSet(store, contents.digest, node);
});

test('a damaged, a missing and an exchanged object are refused, and leave nothing on the node', async (context) => {
  const { store, source, contents, node } = await scene(context);
  await stageAssetSet(store, source);
  const kernel = objectKey(contents.digest, 'guest/kernel');
  await corrupt(store, kernel, 'A kernel');
  await assert.rejects(fetchAssetSet(store, contents.digest, node), {
    code: 'asset-invalid',
    message: /guest\/kernel .* has other contents/,
  });
  await store.delete(kernel);
  await assert.rejects(fetchAssetSet(store, contents.digest, node), {
    code: 'asset-invalid',
    message: /guest\/kernel .* is missing/,
  });
  const otherName = 'e'.repeat(64);
  await corrupt(store, objectKey(otherName, 'set.json'), JSON.stringify(contents));
  await assert.rejects(fetchAssetSet(store, otherName, node), { code: 'asset-invalid', message: /another asset set/ });
  assert.deepEqual(await readdir(path.join(node, 'amd64')), []);
});

test('a damaged set is not uploaded', async (context) => {
  const { store, source } = await scene(context);
  await rm(path.join(source, 'guest/kernel'));
  await assert.rejects(stageAssetSet(store, source), { code: 'asset-invalid' });
  assert.equal(await stagedAssetSet(store, 'amd64'), undefined);
});

test('an aborted fetch ends and leaves nothing', async (context) => {
  const { store, source, contents, node } = await scene(context);
  await stageAssetSet(store, source);
  const abort = new AbortController();
  const onFile = (): void => abort.abort(new Error('enough'));
  await assert.rejects(fetchAssetSet(store, contents.digest, node, { signal: abort.signal, onFile }));
  assert.deepEqual(await readdir(path.join(node, 'amd64')), []);
});

test('a node opens what it has, and fetches what was staged when it has none', async (context) => {
  const { store, source, contents, node } = await scene(context);
  await assert.rejects(openOrFetchAssetSet(store, node, 'amd64'), { code: 'asset-invalid', message: /no asset set/ });
  await stageAssetSet(store, source);
  const fetched = await openOrFetchAssetSet(store, node, 'amd64');
  assert.equal(fetched.contents.digest, contents.digest);
  await store.delete(objectKey(contents.digest, 'set.json'));
  assert.deepEqual(await openOrFetchAssetSet(store, node, 'amd64'), fetched);
});

test('keys hold what a store allows, and different files never share one', () => {
  const digest = 'd'.repeat(64);
  assert.equal(objectKey(digest, 'usr/lib/libstdc++.so.6'), `assets/${digest}/usr/lib/libstdc=2B=2B.so.6`);
  assert.equal(objectKey(digest, '.hidden'), `assets/${digest}/=2Ehidden`);
  assert.notEqual(objectKey(digest, 'a+b'), objectKey(digest, 'a=2Bb'));
  assert.match(objectKey(digest, 'usr/ü ~'), /^[A-Za-z0-9._=/-]+$/);
});
