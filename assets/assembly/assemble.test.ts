/** Real assemblies, from the packages that the cache holds after the set-up, or else from this machine's Debian mirror. */
import assert from 'node:assert/strict';
import { execa } from 'execa';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { hostArchitecture } from '../../shared/assets/asset-folder.ts';
import { guestFile, programCommand } from '../../shared/assets/program-command.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { readAssetsConfig } from '../config.ts';
import { findMirror } from '../debian/apt-sources.ts';
import { hasPvhEntry } from '../elf/elf.ts';
import { readCpio } from '../initramfs/cpio.ts';
import { readManifest } from '../manifest/manifest.ts';
import { assembleAssetSet } from './assemble.ts';
import { choosePinned } from './choose-packages.ts';
import type { Place } from './place.ts';

const config = readAssetsConfig();
const arch = hostArchitecture();

interface Watched {
  readonly place: Place;
  readonly said: string[];
}

function watched(assetsDir: string): Watched {
  const said: string[] = [];
  const place = {
    assetsDir,
    cacheDir: config.cacheDir,
    findMirror: () => findMirror(config.mirror),
    progress: (message: string) => void said.push(message),
  };
  return { place, said };
}

async function elsewhere(context: TestContext): Promise<Watched> {
  const folder = await mkdtemp(path.join(tmpdir(), 'assembly-'));
  context.after(() => removeTree(folder, path.dirname(folder)));
  return watched(folder);
}

test('assembled in another folder, a set has the same digest; assembled again, nothing is done', async (context) => {
  const here = await assembleAssetSet(watched(config.assetsDir).place, arch);
  const { place, said } = await elsewhere(context);
  const there = await assembleAssetSet(place, arch);
  assert.notEqual(there.root, here.root);
  assert.deepEqual(there.contents, here.contents);
  said.length = 0;
  assert.deepEqual(await assembleAssetSet(place, arch), there);
  assert.deepEqual(said, []);
});

test('every library of a program comes out of the set', async () => {
  const set = await assembleAssetSet(watched(config.assetsDir).place, arch);
  for (const program of ['vmm', 'virtiofsd', { emulatorOf: 'arm64' }] as const) {
    const [loader, ...args] = programCommand(set, program);
    const { stdout } = await execa(loader, args.toSpliced(-1, 0, '--list'));
    const found = [...stdout.matchAll(/=> (\S+)/g)].map(([, file = '']) => file);
    assert.ok(found.length > 3, stdout);
    assert.deepEqual(
      found.filter((file) => !file.startsWith(`${set.root}/`)),
      [],
    );
  }
});

test('the programs run, and are what the set says', async () => {
  const set = await assembleAssetSet(watched(config.assetsDir).place, arch);
  const run = async (program: Parameters<typeof programCommand>[1]): Promise<string> => {
    const [loader, ...args] = programCommand(set, program);
    return (await execa(loader, [...args, '--version'])).stdout;
  };
  assert.match(
    await run('vmm'),
    new RegExp(`^QEMU emulator version ${set.contents.vmmVersion.replaceAll('.', '\\.')} `),
  );
  assert.match(await run('virtiofsd'), /^virtiofsd 1\.\d+/);
});

test('the guest: a kernel that starts directly, an initramfs with init, agent and modules in order', async () => {
  const set = await assembleAssetSet(watched(config.assetsDir).place, arch);
  if (arch === 'amd64') assert.ok(hasPvhEntry(await readFile(guestFile(set, 'kernel'))));
  const files = readCpio(await readFile(guestFile(set, 'initramfs')));
  const text = (name: string): string | undefined => files.find((file) => file.path === name)?.content.toString();
  assert.equal(text('init'), 'usr/bin/busybox');
  assert.match(text('etc/inittab') ?? '', /::wait:\/usr\/bin\/guest-agent/);
  const modules = (text('usr/lib/modules/order') ?? '').trim().split('\n');
  assert.ok(modules.includes('overlay.ko') && modules.indexOf('failover.ko') < modules.indexOf('virtio_net.ko'));
  for (const name of modules)
    assert.ok(
      files.some((file) => file.path === `usr/lib/modules/${name}`),
      name,
    );
});

test('past a pin, the current signed versions of all packages are taken, and it is said', async (context) => {
  const { place, said } = await elsewhere(context);
  const manifest = await readManifest(arch);
  const pins = manifest.packages.map((pin) =>
    pin.name === 'crun' ? { ...pin, version: '0.1-1', sha256: '0'.repeat(64) } : pin,
  );
  const { packages, pinned } = await choosePinned(place, arch, pins);
  assert.equal(pinned, false);
  assert.ok(
    said.some((line) => /^crun: pinned 0\.1-1, the suite has \d/.test(line)),
    said.join('\n'),
  );
  const crun = packages.find(({ name }) => name === 'crun');
  assert.ok(crun !== undefined && crun.version !== '0.1-1');
  for (const { name } of pins.filter((pin) => !pin.name.startsWith('linux-image-'))) {
    assert.ok(
      packages.some((item) => item.name === name),
      `${name} is missing`,
    );
  }
});
