/**
 * The pages that a capture compares are those that the kernel's page tables name; here the result is held against all of
 * memory. The golden's memory with the captured part laid over it must be the guest's memory, byte for byte, whoever wrote:
 * the guest, the daemon that reads its files into it, or we at the restore; over generations, pauses in between, and when
 * the page tables have forgotten something.
 */
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';
import { builtTemplates } from '../infra/stack/bundled-templates.ts';
import { hostArchitecture, openCurrentAssetSet } from '../shared/assets/asset-folder.ts';
import { programCommand } from '../shared/assets/program-command.ts';
import type { ReadFileReply } from '../shared/proto/gen/agent.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { until } from '../shared/process/until.ts';
import { createLogger } from '../shared/telemetry/logger.ts';
import { templateSpecSchema } from '../shared/template/template-spec.ts';
import { createImageStore } from '../worker/images/image-store.ts';
import { containerStarts, sandboxSpec, startLimitMs } from '../worker/jobs/start-containers.ts';
import { createNetworkPool } from '../worker/network/pool.ts';
import { networkOwner } from '../worker/node/network-owner.ts';
import { createPhaseClock } from '../worker/sandbox/phase-clock.ts';
import type { Capture, CaptureOptions, Sandbox } from '../worker/sandbox/sandbox.ts';
import { microvmClass } from '../worker/sandbox/microvm/class.ts';
import { applyMemoryParts } from '../worker/sandbox/microvm/memory/memory-part.ts';
import { qemuClass } from '../worker/sandbox/microvm/qemu/class.ts';
import { createZygotes } from '../worker/sandbox/microvm/zygotes.ts';

const signal = AbortSignal.timeout(120_000);
const log = createLogger('silent', {});
const mebibyte = 1024 * 1024;
/** Much more than a guest touches between a wake and the next suspend. */
const largeMiB = 48;

test('the captured pages are all that differ from the golden, over generations', async () => {
  await using resources = new AsyncDisposableStack();
  const ground = await makeGround(resources);
  const { base, golden } = await captureGolden(ground);
  const all = golden.memorySizeBytes / 4096;
  assert.equal(golden.comparedPages, all, 'a golden is compared whole');

  let last = golden;
  let chain: readonly string[] = [];
  let answered = 0;
  const generation = async (
    name: string,
    whileItRuns: (vm: Sandbox) => Promise<void>,
    options: CaptureOptions = { mayLieOnTop: false },
  ): Promise<Capture> => {
    const own = { memoryPaths: chain };
    const clock = createPhaseClock();
    const prepared = await ground.sandboxes.prepare(ground.spec, base, clock, signal);
    await using vm = await prepared.restore({ ...own, devicePath: last.device.path }, clock, signal);
    await vm.wake(ground.identity, signal);
    answered = await call(vm, answered);
    await whileItRuns(vm);
    await vm.freeze(createPhaseClock(), signal);
    await mkdir(ground.file(name));
    const capture = await vm.capture(ground.file(name), base, signal, options);
    chain = [...(capture.isOnTop ? chain : []), capture.memory.path];
    await assertExact(ground.file('rebuilt'), base, chain, ground.memoryOf(vm));
    return (last = capture);
  };

  const first = await generation('first', () => Promise.resolve());
  assert.ok(first.comparedPages < all, 'only candidates were compared');

  const second = await generation('second', async (vm) => {
    await readLower(vm);
    await knownWithoutDescriptor(vm, 'keep-me');
    await readProgram(vm);
    await vm.freeze(createPhaseClock(), signal);
    await vm.thaw(signal);
    await vm.wake(ground.identity, signal);
    answered = await call(vm, answered);
  });
  assert.ok(second.comparedPages < all, 'what the daemon touched before a pause is remembered');

  const third = await generation('third', async (vm) => {
    await readLower(vm);
    const { sizeBytes, readBytes } = await readProgram(vm);
    assert.ok(sizeBytes > 1_000_000, 'its size stands out from the questions that opening it takes');
    assert.ok(readBytes < sizeBytes / 10, `of what was read before the sleep, ${readBytes} bytes were read again`);
    // Takes the first page out of every process's page table, as a daemon that maps the memory anew would lose all of them.
    const hole = ['--punch-hole', '--offset', '0', '--length', '4096'];
    await execa('fallocate', [...hole, ground.memoryOf(vm)]);
  });
  assert.equal(third.comparedPages, all, 'a page table that has forgotten is not believed');

  const mayLieOnTop = { mayLieOnTop: true };
  const fourth = await generation('fourth', () => Promise.resolve(), mayLieOnTop);
  assert.ok(!fourth.isOnTop, 'what is small is carried whole');
  const large = await generation('large', (vm) => allocate(vm, largeMiB), mayLieOnTop);
  assert.ok(!large.isOnTop && large.memory.sizeBytes > largeMiB * mebibyte);
  for (const name of ['top', 'top of it']) {
    const top = await generation(name, () => Promise.resolve(), mayLieOnTop);
    assert.ok(top.isOnTop, `${name}: ${top.comparedPages} pages were touched`);
    assert.ok(top.memory.sizeBytes * 4 < large.memory.sizeBytes, `${name} has ${top.memory.sizeBytes} bytes`);
  }
  assert.equal(chain.length, 3);
  const replaced = await generation('replaced', (vm) => allocate(vm, largeMiB), mayLieOnTop);
  assert.ok(replaced.memory.sizeBytes > largeMiB * mebibyte);
  await generation('whole', () => Promise.resolve());
  assert.equal(chain.length, 1);
});

type Ground = Awaited<ReturnType<typeof makeGround>>;

async function makeGround(resources: AsyncDisposableStack) {
  const home = await mkdtemp(path.join(tmpdir(), 'dm-pages-'));
  resources.defer(() => removeTree(home, tmpdir()));
  const file = (name: string): string => path.join(home, name);
  const memoryFolder = await mkdtemp('/dev/shm/dm-pages-');
  resources.defer(() => rm(memoryFolder, { recursive: true }));
  for (const name of ['run', 'images', 'golden']) await mkdir(file(name));
  const assets = await openCurrentAssetSet(process.env['DORMOUSE_ASSETS'] ?? '.dormouse/assets', hostArchitecture());
  const networks = resources.use(await createNetworkPool({ owner: networkOwner(home, 'node-1'), size: 1, log }));
  const images = resources.use(await createImageStore({ dir: file('images'), log }));
  const built = (await builtTemplates(['counter'])).counter;
  const template = templateSpecSchema.parse(built?.spec);
  const prepared = new Map(
    await Promise.all(
      template.containers.map(async ({ name, image }) => [name, await images.prepare(image, { signal })] as const),
    ),
  );
  const vmmClass = qemuClass(assets, 'tcg');
  const origin = { assetSet: assets.contents.digest, runtime: vmmClass.runtime };
  const sandboxes = microvmClass({
    ...{ vmmClass, networks, memoryFolder, runFolder: file('run') },
    virtiofsd: programCommand(assets, 'virtiofsd'),
    zygotes: createZygotes({ assetsFolder: file('assets'), origin, log }),
    isShort: () => false,
    log,
  });
  const revision = { template: template.name, revision: 'r', epoch: '1.1', generation: 0, node: 'node-1' };
  return {
    ...{ file, sandboxes, prepared },
    template,
    spec: sandboxSpec('pages', template, prepared, images),
    identity: { id: 'pages', uid: '00000000-0000-4000-8000-000000000000', ...revision },
    base: path.join(memoryFolder, 'base'), // VMs link to it
    memoryOf: ({ folder }: Sandbox) => path.join(memoryFolder, path.basename(folder)),
  };
}

async function captureGolden(ground: Ground): Promise<{ base: string; golden: Capture }> {
  await using vm = await ground.sandboxes.boot(ground.spec, createPhaseClock(), signal);
  await vm.start(await containerStarts(ground.template, ground.prepared), startLimitMs, signal);
  await vm.freeze(createPhaseClock(), signal);
  const golden = await vm.capture(ground.file('golden'), undefined, signal);
  const base = ground.base;
  await ground.sandboxes.unpackBase(createReadStream(golden.memory.path), golden.memorySizeBytes, base, signal);
  assert.ok((await readFile(base)).equals(await readFile(ground.memoryOf(vm))), 'the golden is all of its memory');
  return { base, golden };
}

async function assertExact(rebuilt: string, base: string, chain: readonly string[], memory: string): Promise<void> {
  await copyFile(base, `${rebuilt}.partial`);
  await rename(`${rebuilt}.partial`, rebuilt);
  await applyMemoryParts(chain, rebuilt, (await stat(memory)).size, signal);
  assert.ok((await readFile(rebuilt)).equals(await readFile(memory)), 'a page is missing or wrong');
}

/** Counts up from where the last call left it. */
async function call(vm: Sandbox, before: number): Promise<number> {
  const answer = await fetch(`http://${vm.address}:8080/`, { signal });
  const { memory } = (await answer.json()) as { memory: number };
  assert.equal(memory, before + 1);
  return memory;
}

async function allocate(vm: Sandbox, mebibytes: number): Promise<void> {
  const answer = await fetch(`http://${vm.address}:8080/allocate?mib=${mebibytes}`, { signal });
  assert.equal(answer.status, 200);
  await answer.arrayBuffer();
}

/** Files of the image that nothing has read yet, so that the daemon brings them into the guest's memory. */
async function readLower(vm: Sandbox): Promise<void> {
  const answer = await fetch(`http://${vm.address}:8080/files/check`, { signal });
  assert.equal(answer.status, 200);
  await answer.arrayBuffer();
}

/** The guest has read the file and knows it; how many it may know is not bounded by the daemon's descriptors. */
async function knownWithoutDescriptor(vm: Sandbox, name: string): Promise<void> {
  const isOverlay = (await statfs(vm.folder)).type === overlayMagic;
  if (isOverlay) return; // has handles only when it was mounted for that
  const folder = `/proc/${await daemonOf(vm)}/fd`;
  const open = async (): Promise<string[]> =>
    Promise.all((await readdir(folder)).map((fd) => readlink(path.join(folder, fd)).catch(() => '')));
  // The guest says that it has closed a file when it finds the time.
  const limit = { signal: AbortSignal.timeout(10_000), everyMs: 20, what: `${name} to be closed` };
  await until(async () => !(await open()).some((file) => path.basename(file) === name), limit);
}

/** https://man7.org/linux/man-pages/man2/statfs.2.html */
const overlayMagic = 0x794c7630;

/** The image's largest file, whole, and how many bytes the daemon read meanwhile. */
async function readProgram(vm: Sandbox): Promise<{ sizeBytes: number; readBytes: number }> {
  const daemon = await daemonOf(vm);
  const readBefore = await bytesReadBy(daemon);
  let sizeBytes = 0;
  const pieces: AsyncIterable<ReadFileReply> = vm.sessions.readFile({ container: '', path: '/counter' });
  for await (const { chunk } of pieces) sizeBytes += chunk?.length ?? 0;
  return { sizeBytes, readBytes: (await bytesReadBy(daemon)) - readBefore };
}

async function daemonOf({ folder }: Sandbox): Promise<number> {
  for (const pid of await readdir('/proc')) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''); // no process, or one that has ended
    if (words.includes(`--socket-path=${folder}/`)) return Number(pid);
  }
  assert.fail(`no daemon serves ${folder}`);
}

const bytesReadBy = async (pid: number): Promise<number> =>
  Number(/^rchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1]);
