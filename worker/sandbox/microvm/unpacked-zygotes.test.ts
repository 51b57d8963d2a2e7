import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, suite, test, type TestContext } from 'node:test';
import { until } from '../../../shared/process/until.ts';
import { createLogger } from '../../../shared/telemetry/logger.ts';
import { standInRuntime } from '../../jobs/stand-in/sandbox.ts';
import { writeMemoryPart } from './memory/memory-part.ts';
import { createUnpackedZygotes, type UnpackedZygote, type UnpackedZygotes } from './unpacked-zygotes.ts';
import { createZygotes, type MachineSize, type Zygotes } from './zygotes.ts';

const size = { memoryMiB: 1, vcpus: 1 };
const limit = (): AbortSignal => AbortSignal.timeout(10_000);

suite('unpacked zygotes', () => {
  let home: string;
  let zygotes: Zygotes;
  let finds: number;
  const open = (isShort = () => false): UnpackedZygotes =>
    createUnpackedZygotes({ zygotes, folder: path.join(home, 'memory'), isShort, log: createLogger('silent', {}) });
  const held = (): Promise<string[]> => readdir(path.join(home, 'memory')).catch(() => []);
  const waitUntilHeld = (count: number): Promise<unknown> =>
    until(async () => (await held()).length === count, { signal: limit(), everyMs: 5, what: `${count} to be held` });
  const pagesOf = ({ memoryPath }: UnpackedZygote): Promise<Buffer> => readFile(memoryPath);

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'dm-unpacked-'));
    const origin = { assetSet: createHash('sha256').update('a set').digest('hex'), runtime: standInRuntime };
    const opened = createZygotes({ assetsFolder: home, origin, log: createLogger('silent', {}) });
    finds = 0;
    zygotes = { ...opened, find: (of) => (finds++, opened.find(of)) };
  });
  afterEach(() => rm(home, { recursive: true }));

  /** Returns what a guest with that zygote has in its memory. */
  async function keep(of: MachineSize = size): Promise<Buffer> {
    const pages = Buffer.concat([Buffer.alloc(8192), randomBytes(16_384)], of.memoryMiB * 1024 * 1024);
    const memoryPath = path.join(home, 'guest');
    await writeFile(memoryPath, pages);
    await zygotes.keep(of, async (folder) => {
      const source = { memoryPath, memorySizeBytes: pages.length, basePath: undefined };
      const memory = await writeMemoryPart(source, path.join(folder, 'memory'), limit());
      const device = { path: path.join(folder, 'device'), sizeBytes: 7, sha256: sha256('devices') };
      await writeFile(device.path, 'devices');
      return { memorySizeBytes: pages.length, pageCount: 0, comparedPages: 0, isOnTop: false, memory, device };
    });
    return pages;
  }

  test('one is checked and unpacked once, however many start from it', async () => {
    const pages = await keep();
    const unpacked = open();
    const both = await Promise.all([unpacked.use(size, pagesOf), unpacked.use(size, pagesOf)]);
    const third = await unpacked.use(size, async (zygote) => {
      assert.equal(await readFile(zygote.devicePath, 'utf8'), 'devices');
      return await pagesOf(zygote);
    });
    for (const found of [...both, third]) assert.ok(found?.equals(pages));
    assert.equal(finds, 1);
    assert.equal((await held()).length, 1);
  });

  test('without any nothing is called, and one that comes later is found', async (t: TestContext) => {
    const unpacked = open();
    const work = t.mock.fn(pagesOf);
    assert.equal(await unpacked.use(size, work), undefined);
    assert.equal(work.mock.callCount(), 0);
    const pages = await keep();
    assert.ok((await unpacked.use(size, work))?.equals(pages));
  });

  test('what changed on the disk is read again, and one that was damaged counts as none', async () => {
    await keep();
    const unpacked = open();
    assert.ok(await unpacked.use(size, pagesOf));
    const [key = ''] = await readdir(path.join(home, 'zygotes'));
    const memory = path.join(home, 'zygotes', key, 'memory');
    await utimes(memory, 1, 1);
    assert.ok(await unpacked.use(size, pagesOf));
    assert.equal(finds, 2);
    await writeFile(memory, 'damaged');
    assert.equal(await unpacked.use(size, pagesOf), undefined);
    await waitUntilHeld(0);
  });

  test('one that no machine can be made of is discarded', async () => {
    await keep();
    const unpacked = open();
    await unpacked.use(size, pagesOf);
    await unpacked.discard(size);
    assert.equal(await unpacked.use(size, pagesOf), undefined);
    await waitUntilHeld(0);
  });

  test('another size takes its place, but not from under whoever uses it', async () => {
    const large = { memoryMiB: 2, vcpus: 1 };
    const [pages, largePages] = [await keep(), await keep(large)];
    const unpacked = open();
    const found = await unpacked.use(size, async (zygote) => {
      assert.ok((await unpacked.use(large, pagesOf))?.equals(largePages));
      return await pagesOf(zygote);
    });
    assert.ok(found?.equals(pages));
    await waitUntilHeld(1);
    assert.equal(finds, 2);
  });

  test('it makes way when the machine runs short, and comes back', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const pages = await keep();
    let isShort = false;
    const unpacked = open(() => isShort);
    await unpacked.use(size, pagesOf);
    t.mock.timers.tick(5000);
    assert.equal((await held()).length, 1);
    isShort = true;
    t.mock.timers.tick(5000);
    t.mock.timers.reset();
    await waitUntilHeld(0);
    assert.ok((await unpacked.use(size, pagesOf))?.equals(pages));
  });
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
