import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { bytes, collect, conformance, failsWith, scratchFolder, testLimits } from '../conformance.ts';
import { openObjectStore } from '../open.ts';
import { newTemporaryPath } from './temporary-files.ts';

const scratch = await scratchFolder();
const open = (name: string) => openObjectStore(`file://${path.join(scratch, name)}`, { limits: testLimits });

conformance({ name: 'file', open: () => open('conformance') });

test('of many processes that create one key at once exactly one wins, round after round', async () => {
  const rounds = 15;
  const folder = path.join(scratch, 'processes');
  const racers = Array.from({ length: 6 }, () =>
    spawn(process.execPath, [path.join(import.meta.dirname, 'racing-writer.ts'), folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const lines = racers.map((racer) => createInterface(racer.stdout)[Symbol.asyncIterator]());
  await Promise.all(lines.map((line) => line.next())); // "ready"
  for (let round = 0; round < rounds; round += 1) {
    for (const racer of racers) racer.stdin.write(`round/${round}\n`);
    const answers = await Promise.all(lines.map(async (line) => String((await line.next()).value)));
    const winners = answers.map((answer, index) => ({ answer, index })).filter(({ answer }) => answer === 'created');
    assert.equal(winners.length, 1, answers.join(' '));
    const content = await readFile(path.join(folder, 'round', String(round)), 'utf8');
    assert.equal(content, `${racers[winners[0]?.index ?? -1]?.pid ?? 0}`);
  }
  for (const racer of racers) racer.stdin.end();
  await Promise.all(racers.map((racer) => once(racer, 'exit')));
  assert.deepEqual(await readdir(path.join(folder, '.tmp')), []);
});

test('creating and deleting in one folder at once loses nothing to the removal of empty folders', async () => {
  const store = await open('churn');
  const churn = async (id: number): Promise<void> => {
    for (let round = 0; round < 40; round += 1) {
      const key = `a/b/c/${id}`;
      assert.equal(await store.create(key, bytes('x')), 'created');
      await store.delete(key);
    }
  };
  await Promise.all([1, 2, 3, 4, 5, 6].map(churn));
  assert.deepEqual(await Array.fromAsync(store.list('')), []);
});

test('temporary files of dead writers are removed, those of living and unknown ones are not', async () => {
  const folder = path.join(scratch, 'dead');
  const first = await open('dead');
  await first.put('a', bytes('x'));
  const temporary = path.join(folder, '.tmp');
  const mine = await ownPrefix(folder);
  const names = {
    deadPid: mine.replace(/\.\d+\.\d+$/, `.4194304.1`),
    reusedPid: mine.replace(/\.\d+$/, '.1'),
    alive: mine,
    elsewhere: 'another-place.1.1',
    elsewhereOld: 'another-place.2.1',
  };
  for (const name of Object.values(names)) await writeFile(path.join(temporary, `${name}.x`), 'x');
  await utimes(path.join(temporary, `${names.elsewhereOld}.x`), 0, 0);
  const second = await open('dead');
  await second.put('b', bytes('x'));
  assert.deepEqual((await readdir(temporary)).toSorted(), [`${names.alive}.x`, `${names.elsewhere}.x`].toSorted());
});

/** What this process writes in front of its temporary files. */
async function ownPrefix(folder: string): Promise<string> {
  return path.basename(await newTemporaryPath(folder)).replace(/\.[0-9a-f-]+$/, '');
}

test('a key that is the folder of another is refused and harms neither', async () => {
  const store = await open('nested');
  await store.put('x/y', bytes('inner'));
  await assert.rejects(store.put('x', bytes('outer')));
  assert.equal(await store.head('x'), undefined);
  await assert.rejects(store.get('x'), failsWith('store-object-missing'));
  await assert.rejects(store.put('x/y/z', bytes('x')), failsWith('store-misconfigured'));
  assert.equal(String(await store.get('x/y')), 'inner');
});

test('a root that cannot be one is named', async () => {
  await writeFile(path.join(scratch, 'plain'), 'x');
  const store = await open('plain/store');
  await assert.rejects(store.check(), (error) => {
    assert.match(String(error), /plain/);
    return failsWith('store-misconfigured')(error);
  });
});

test('a large file that stays as it is gets another name, and outlives its first one', async () => {
  const store = await open('links');
  const source = path.join(scratch, 'links-source');
  const content = Buffer.alloc(3 * 1024 * 1024, 'x');
  await writeFile(source, content);
  await utimes(source, 0, 0);
  const body = { kind: 'file', path: source, sizeBytes: content.length, isFinal: true } as const;
  await store.put('a', body);
  await store.put('a', body); // the same file, where it stands already
  assert.equal(await store.create('b', body), 'created');
  assert.equal(await store.create('b', body), 'exists');
  assert.equal((await stat(source)).nlink, 2, 'source and a: a create copies, and no temporary name is left');
  await assert.rejects(store.put('c', { ...body, sizeBytes: content.length - 1 }), failsWith('internal'));
  assert.equal((await stat(source)).nlink, 2);
  const listed = (await Array.fromAsync(store.list(''))).find(({ key }) => key === 'a');
  assert.ok((listed?.modifiedAtMs ?? 0) > 0, 'it is as old as its writing');
  await unlink(source);
  assert.ok((await store.get('a')).equals(content));
});

test('what others leave in the folder is no object', async () => {
  const store = await open('others');
  await store.put('a', bytes('x'));
  await mkdir(path.join(scratch, 'others', 'empty'));
  await writeFile(path.join(scratch, 'others', '.hidden'), 'x');
  assert.deepEqual(await collect(store.list('')), [{ key: 'a', sizeBytes: 1 }]);
  assert.ok((await stat(path.join(scratch, 'others', 'empty'))).isDirectory());
});
