import assert from 'node:assert/strict';
import { execa } from 'execa';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { adoptAssetSet, buildingFolder } from '../shared/assets/asset-folder.ts';
import { writeSampleSet } from '../shared/assets/sample-asset-set.ts';
import { sampleMachine, writeSampleZygote } from '../shared/assets/sample-zygote.ts';
import { zygoteKey, zygotesFolder } from '../shared/assets/zygote-folder.ts';
import { removeTree } from '../shared/process/remove-tree.ts';

const main = path.join(import.meta.dirname, 'main.ts');

async function assetsCommand(...args: string[]) {
  return execa(process.execPath, [main, ...args], { reject: false });
}

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'assets-cli-'));
  context.after(() => removeTree(folder, path.dirname(folder)));
  return folder;
}

for (const args of [
  [],
  ['unknown'],
  ['list', 'more'],
  ['list', '--arch', 'z80'],
  ['list', '--unknown'],
  ['toString'],
]) {
  test(`'${args.join(' ')}' is a wrong command line`, async () => {
    const { exitCode, stderr, stdout } = await assetsCommand(...args);
    assert.equal(exitCode, 2);
    assert.match(stderr, /Usage: npm run assets/);
    assert.equal(stdout, '');
  });
}

test('without a set, verify fails and says what to do; list is empty', async (context) => {
  const dir = await temporaryFolder(context);
  const { exitCode, stderr } = await assetsCommand('verify', '--dir', dir);
  assert.equal(exitCode, 1);
  assert.match(stderr, /no asset set .*asset-invalid.*Run `npm run assets -- assemble`/);
  assert.deepEqual((await assetsCommand('list', '--arch', 'all', '--dir', dir)).stdout, '');
});

test('verify, list and stage of a set; a tampered file is named', async (context) => {
  const dir = await temporaryFolder(context);
  await using building = await buildingFolder(dir, 'amd64');
  await writeSampleSet(building.path);
  const { root, contents } = await adoptAssetSet(dir, building.path);
  const command = (name: string, ...more: string[]) => assetsCommand(name, '--arch', 'amd64', '--dir', dir, ...more);

  assert.match((await command('verify')).stdout, new RegExp(`^amd64 ${contents.digest} is whole: 7 files$`));
  assert.match((await command('list')).stdout, new RegExp(`^amd64 ${contents.digest} vmm 10\\.0\\.13, kernel 6\\.12`));
  const store = `file://${dir}/store`;
  assert.match((await command('stage', '--store', store)).stdout, /uploaded to/);
  assert.match((await command('stage', '--store', store)).stdout, /is already in/);

  const machine = sampleMachine(contents.digest);
  await writeSampleZygote(zygotesFolder(dir), machine, 'sample');
  const words = `amd64 ${zygoteKey(machine)} zygote of 256 MiB, 1 processor, tcg`;
  assert.ok((await command('list')).stdout.includes(words));
  assert.ok((await command('verify')).stdout.includes(`amd64 ${zygoteKey(machine)} is whole`));
  assert.ok((await command('stage', '--store', store)).stdout.includes(`${words} uploaded to`));
  assert.ok((await command('stage', '--store', store)).stdout.includes(`${words} is already in`));
  const memory = path.join(zygotesFolder(dir), zygoteKey(machine), 'memory');
  await writeFile(memory, 'damaged');
  assert.match((await command('verify')).stderr, /memory has other contents/);
  await writeFile(memory, 'memory of sample');

  await writeFile(path.join(root, 'guest/kernel'), 'A kernel');
  const { exitCode, stderr } = await command('verify');
  assert.equal(exitCode, 1);
  assert.match(stderr, /guest\/kernel .* has other contents/);
});
