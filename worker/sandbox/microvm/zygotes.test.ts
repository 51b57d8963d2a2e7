import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fetchZygote, stageZygote } from '../../../shared/assets/ship-zygote.ts';
import { openObjectStore } from '../../../shared/object-store/open.ts';
import { until } from '../../../shared/process/until.ts';
import { createLogger } from '../../../shared/telemetry/logger.ts';
import type { Capture, CapturedPart } from '../sandbox.ts';
import { standInRuntime } from '../../jobs/stand-in/sandbox.ts';
import { createZygotes, type ZygoteExchange, type Zygotes } from './zygotes.ts';

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
    return { memorySizeBytes: 4096, pageCount: 1, comparedPages: 1, isOnTop: false, memory, device };
  };

suite('zygotes', () => {
  let folder: string;
  const open = (assetSet: string, exchange?: ZygoteExchange): Zygotes =>
    createZygotes({
      assetsFolder: path.dirname(folder),
      origin: { assetSet: createHash('sha256').update(assetSet).digest('hex'), runtime: standInRuntime },
      ...(exchange !== undefined && { exchange }),
      log: createLogger('silent', {}),
    });
  const textOf = async (zygotes: Zygotes, of = size): Promise<string | undefined> => {
    const found = await zygotes.find(of);
    return found && (await readFile(found.memoryPaths[0] ?? '', 'utf8'));
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

  test('one that another machine staged is fetched once; one that no VMM took is not asked for again', async () => {
    const store = await openObjectStore(`file://${path.join(path.dirname(folder), 'store')}`);
    let fetches = 0;
    const exchange: ZygoteExchange = {
      fetch: (into, machine) => (fetches++, fetchZygote(store, into, machine)),
      async offer(from, machine) {
        await stageZygote(store, from, machine);
      },
    };
    const here = open('set 3', exchange);
    assert.equal(await textOf(here), undefined, 'nobody has one');
    await here.keep(size, captured('made here'));
    await until(async () => (await Array.fromAsync(store.list('zygotes/'))).length === 3, {
      signal: AbortSignal.timeout(10_000),
      everyMs: 5,
      what: 'it to be staged',
    });
    await rm(folder, { recursive: true });
    await mkdir(folder);
    const elsewhere = open('set 3', exchange);
    fetches = 0;
    assert.deepEqual(await Promise.all([textOf(elsewhere), textOf(elsewhere)]), ['made here', 'made here']);
    assert.equal(await textOf(elsewhere), 'made here');
    assert.equal(fetches, 1);
    await elsewhere.discard(size);
    assert.equal(await textOf(elsewhere), undefined);
    assert.equal(fetches, 1);
  });

  test('a store that fails counts as one that has none', async () => {
    const failing: ZygoteExchange = {
      fetch: () => Promise.reject(new Error('no store')),
      offer: () => Promise.reject(new Error('no store')),
    };
    assert.equal(await textOf(open('set 4', failing)), undefined);
    await open('set 4', failing).keep(size, captured('kept all the same'));
    assert.equal(await textOf(open('set 4', failing)), 'kept all the same');
  });
});
