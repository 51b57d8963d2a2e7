import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { DormouseError } from '../errors/dormouse-error.ts';
import { adoptAssetSet, buildingFolder, listAssetSets, openCurrentAssetSet, setFolder } from './asset-folder.ts';
import { writeSampleSet } from './sample-asset-set.ts';

async function assetsFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'assets-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function buildSample(assetsDir: string): Promise<string> {
  await using building = await buildingFolder(assetsDir, 'amd64');
  await writeSampleSet(building.path);
  const set = await adoptAssetSet(assetsDir, building.path);
  return set.contents.digest;
}

test('a set appears whole under its digest and becomes the current one', async (context) => {
  const assetsDir = await assetsFolder(context);
  const digest = await buildSample(assetsDir);
  assert.equal(await readlink(path.join(assetsDir, 'amd64/current')), digest);
  const current = await openCurrentAssetSet(assetsDir, 'amd64');
  assert.equal(current.root, setFolder(assetsDir, 'amd64', digest));
  assert.deepEqual((await readdir(path.join(assetsDir, 'amd64'))).sort(), [digest, 'current'].sort());
});

test('building the same set again changes nothing', async (context) => {
  const assetsDir = await assetsFolder(context);
  assert.equal(await buildSample(assetsDir), await buildSample(assetsDir));
  assert.equal((await listAssetSets(assetsDir)).length, 1);
});

test('a damaged set is replaced by building it again', async (context) => {
  const assetsDir = await assetsFolder(context);
  const digest = await buildSample(assetsDir);
  await writeFile(path.join(setFolder(assetsDir, 'amd64', digest), 'guest/kernel'), 'A kernel');
  await buildSample(assetsDir);
  assert.equal((await openCurrentAssetSet(assetsDir, 'amd64')).contents.digest, digest);
  const kernel = path.join(setFolder(assetsDir, 'amd64', digest), 'guest/kernel');
  assert.equal(spawnSync('cat', [kernel]).stdout.toString(), 'a kernel');
});

test('a set that does not open is listed with the reason', async (context) => {
  const assetsDir = await assetsFolder(context);
  const digest = await buildSample(assetsDir);
  await rm(path.join(setFolder(assetsDir, 'amd64', digest), 'guest/kernel'));
  const [listed] = await listAssetSets(assetsDir);
  assert.ok(listed?.set instanceof DormouseError);
  assert.match(listed.set.message, /guest\/kernel .* is missing/);
});

test('what a killed builder left is removed, what a living one builds is not', async (context) => {
  const assetsDir = await assetsFolder(context);
  const deadPid = spawnSync('true').pid;
  await mkdir(path.join(assetsDir, 'amd64', `.building-${deadPid}-left/over`), { recursive: true });
  await using living = await buildingFolder(assetsDir, 'amd64');
  await using other = await buildingFolder(assetsDir, 'amd64');
  const names = [living.path, other.path].map((folder) => path.basename(folder));
  assert.deepEqual((await readdir(path.join(assetsDir, 'amd64'))).sort(), names.sort());
});

test('an assets folder without a set says so', async (context) => {
  const assetsDir = await assetsFolder(context);
  await assert.rejects(openCurrentAssetSet(assetsDir, 'arm64'), { code: 'asset-invalid' });
});
