import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { createLogger } from '../../../shared/telemetry/logger.ts';
import type { Capture, CapturedPart } from '../sandbox.ts';
import { createZygotes, type Zygotes } from './zygotes.ts';

const size = { memoryMiB: 256, vcpus: 1 };

async function part(folder: string, name: string, text: string): Promise<CapturedPart> {
  await writeFile(path.join(folder, name), text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { path: path.join(folder, name), sizeBytes: text.length, sha256 };
}

const captured =
  (text: string) =>
  async (folder: string): Promise<Capture> => {
    const [memory, device] = [await part(folder, 'memory', text), await part(folder, 'device', `device of ${text}`)];
    return { memorySizeBytes: 4096, pageCount: 1, comparedPages: 1, memory, device };
  };

suite('zygotes', () => {
  let folder: string;
  const open = (origin: string): Zygotes => createZygotes({ folder, origin, log: createLogger('silent', {}) });
  const textOf = async (zygotes: Zygotes, of = size): Promise<string | undefined> => {
    const found = await zygotes.find(of);
    return found?.memoryPath && (await readFile(found.memoryPath, 'utf8'));
  };
  before(async () => {
    folder = path.join(await mkdtemp(path.join(tmpdir(), 'dm-zygotes-')), 'zygotes');
    await mkdir(folder);
  });
  after(() => rm(path.dirname(folder), { recursive: true }));

  test('one is found by whoever has the same machine, and by nobody else', async () => {
    assert.equal(await textOf(open('set 1')), undefined);
    await open('set 1').keep(size, captured('first'));
    assert.equal(await textOf(open('set 1')), 'first');
    assert.equal(await textOf(open('set 2')), undefined);
    assert.equal(await textOf(open('set 1'), { memoryMiB: 512, vcpus: 1 }), undefined);
    assert.equal(await textOf(open('set 1'), { memoryMiB: 256, vcpus: 2 }), undefined);
  });

  test('of two that keep the same one the first stands, and nothing unfinished is left', async () => {
    await open('set 1').keep(size, captured('second'));
    await open('set 1').keep({ memoryMiB: 512, vcpus: 1 }, () => Promise.reject(new Error('no room')));
    assert.equal(await textOf(open('set 1')), 'first');
    assert.equal((await readdir(folder)).length, 1);
  });

  test('one that is damaged is removed and counts as none', async () => {
    for (const name of ['memory', 'device', 'zygote.json']) {
      const [key = ''] = await readdir(folder);
      await writeFile(path.join(folder, key, name), 'damaged');
      assert.equal(await textOf(open('set 1')), undefined, name);
      assert.deepEqual(await readdir(folder), []);
      await open('set 1').keep(size, captured('again'));
      assert.equal(await textOf(open('set 1')), 'again');
    }
    await open('set 1').discard(size);
    assert.equal(await textOf(open('set 1')), undefined);
  });
});
