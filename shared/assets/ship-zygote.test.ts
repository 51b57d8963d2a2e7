import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { openObjectStore } from '../object-store/open.ts';
import { sampleMachine, writeSampleZygote } from './sample-zygote.ts';
import { fetchZygote, stageZygote, zygoteObject } from './ship-zygote.ts';
import { listZygotes, readZygote, zygoteKey } from './zygote-folder.ts';

const assetSet = 'a'.repeat(64);
const machine = sampleMachine(assetSet);
const key = zygoteKey(machine);

async function scene(context: TestContext) {
  const home = await mkdtemp(path.join(tmpdir(), 'ship-zygote-'));
  context.after(() => rm(home, { recursive: true }));
  const store = await openObjectStore(`file://${home}/store`);
  const [here, there] = [path.join(home, 'here'), path.join(home, 'there')];
  for (const folder of [here, there]) await mkdir(folder);
  return { store, here, there };
}

test('a staged one arrives on another machine as it was, once, and only for the very same machine', async (context) => {
  const { store, here, there } = await scene(context);
  const record = await writeSampleZygote(here, machine, 'first');
  assert.equal(await fetchZygote(store, there, machine), false);
  assert.equal(await stageZygote(store, here, machine), 'uploaded');
  assert.equal(await stageZygote(store, here, machine), 'present');
  assert.equal(await fetchZygote(store, there, machine), true);
  assert.deepEqual(await readZygote(there, key), record);
  assert.deepEqual(await listZygotes(there, assetSet), [record]);
  assert.deepEqual(await listZygotes(there, 'b'.repeat(64)), []);
  assert.equal(await readFile(path.join(there, key, 'memory'), 'utf8'), 'memory of first');
  for (const other of [
    { ...machine, memoryMiB: 512 },
    { ...machine, vcpus: 2 },
    { ...machine, assetSet: 'b'.repeat(64) },
    { ...machine, runtime: { ...machine.runtime, accelerator: 'kvm' as const } },
  ]) {
    assert.equal(await fetchZygote(store, there, other), false);
  }
});

test('of two machines that stage one of the same kind the first stands', async (context) => {
  const { store, here, there } = await scene(context);
  await writeSampleZygote(here, machine, 'first');
  await writeSampleZygote(there, machine, 'second');
  await Promise.all([stageZygote(store, here, machine), stageZygote(store, there, machine)]);
  const fresh = path.join(here, 'fresh');
  assert.equal(await fetchZygote(store, fresh, machine), true);
  assert.ok((await readZygote(fresh, key)) !== undefined, 'its parts are those of one of the two');
});

test('what is damaged here is not staged, and what is damaged there does not arrive', async (context) => {
  const { store, here, there } = await scene(context);
  const record = await writeSampleZygote(here, machine, 'first');
  const memory = path.join(here, key, 'memory');
  await writeFile(memory, 'memory of worst');
  await assert.rejects(stageZygote(store, here, machine), { code: 'asset-invalid' });
  await writeFile(memory, 'memory of first');
  await stageZygote(store, here, machine);
  const put = (name: string, text: string): Promise<void> =>
    store.put(zygoteObject(key, name), { kind: 'bytes', bytes: Buffer.from(text) });

  for (const text of ['memory of worst', 'memory', '', 'memory of first, and more']) {
    await put(record.memory.sha256, text);
    await assert.rejects(fetchZygote(store, there, machine), { code: 'asset-invalid' }, text);
  }
  await put(record.memory.sha256, 'memory of first');
  const hostile = { ...record, memory: { ...record.memory, sha256: '../../etc' } };
  const another = { ...record, machine: { ...machine, memoryMiB: 512 } };
  for (const forged of ['{', '{}', JSON.stringify(hostile), JSON.stringify(another)]) {
    await put('zygote.json', forged);
    await assert.rejects(fetchZygote(store, there, machine), { code: 'asset-invalid' }, forged);
  }
  assert.deepEqual(await readdir(there), [], 'nothing is left of any of them');
});
