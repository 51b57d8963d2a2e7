import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, statfs, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { mountsBelow } from '../../shared/process/remove-tree.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { createImageStore, type ImageStore, type PreparedImage } from './image-store.ts';
import { addLayer, createTestImage, startRegistry, temporaryFolder } from './test-images.ts';

const log = createLogger('error', { test: 'images' });
const options = { timeout: 60_000 };

const layers = [
  { add: { 'etc/passwd': 'root:x:0:0::/root:/bin/sh\n', 'app/old': 'old', 'app/kept': 'kept', 'app/changed': '1' } },
  { add: { 'app/changed': '2', 'app/new': 'new' }, remove: ['/app/old'] },
];

interface Fixture {
  readonly folder: string;
  readonly store: ImageStore;
  readonly reference: string;
}

async function fixture(t: TestContext): Promise<Fixture> {
  const folder = await temporaryFolder(t);
  const store = await createImageStore({ dir: `${folder}/node`, log });
  return { folder, store, reference: await createTestImage(folder, layers) };
}

const read = (image: PreparedImage, inner: string): Promise<string> =>
  readFile(path.join(image.rootPath, inner), 'utf8');

async function expectError(promise: Promise<unknown>, code: string, words: RegExp): Promise<DormouseError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DormouseError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, words);
  return error;
}

test('layers are applied in order, with whiteouts, and the mount points are there', options, async (t) => {
  const { store, reference } = await fixture(t);
  const image = await store.prepare(reference, { signal: t.signal });
  assert.deepEqual((await readdir(path.join(image.rootPath, 'app'))).sort(), ['changed', 'kept', 'new']);
  assert.equal(await read(image, 'app/changed'), '2');
  for (const folder of ['proc', 'sys', 'dev/pts', 'dev/shm', 'run/dormouse', 'tmp']) {
    assert.ok((await lstat(path.join(image.rootPath, folder))).isDirectory(), folder);
  }
  assert.equal((await lstat(path.join(image.rootPath, 'tmp'))).mode & 0o7777, 0o1777);
  assert.equal(await read(image, 'etc/resolv.conf'), '');
  assert.match(await read(image, 'etc/hosts'), /^127\.0\.0\.1\s+localhost$/m);
  assert.match(await read(image, 'etc/passwd'), /^root/);
});

test('two nodes come to the same digests, and an image is unpacked once', options, async (t) => {
  const { folder, store, reference } = await fixture(t);
  const steps: string[] = [];
  const onProgress = ({ step }: { step: string }) => steps.push(step);
  const [first, again] = await Promise.all([
    store.prepare(reference, { signal: t.signal, onProgress }),
    store.prepare(reference, { signal: t.signal, onProgress }),
  ]);
  assert.deepEqual(first, again);
  assert.equal(steps.filter((step) => step === 'unpack').length, 1);
  const inode = (await lstat(first.rootPath)).ino;
  const other = await createImageStore({ dir: `${folder}/other`, log });
  const there = await other.prepare(reference, { signal: t.signal });
  assert.equal(there.digest, first.digest);
  assert.equal(there.treeDigest, first.treeDigest);
  const reopened = await createImageStore({ dir: `${folder}/node`, log });
  assert.deepEqual(await reopened.open({ reference, digest: first.digest }, { signal: t.signal }), first);
  assert.equal((await lstat(first.rootPath)).ino, inode);
  assert.deepEqual(await readdir(`${folder}/node/unfinished`), []);
});

test('a registry: by tag, by digest, in either manifest format, and the tag may move', options, async (t) => {
  const { store, reference, folder } = await fixture(t);
  const registry = await startRegistry(t);
  const tagged = await registry.push(reference, 'team/app:1');
  const byTag = await store.prepare(tagged, { signal: t.signal });
  const local = await store.prepare(reference, { signal: t.signal });
  assert.equal(byTag.digest, local.digest);
  const byDigest = await store.prepare(`${registry.host}/team/app@${byTag.digest}`, { signal: t.signal });
  assert.equal(byDigest.rootPath, byTag.rootPath);
  const docker = await store.prepare(await registry.push(reference, 'team/docker:1', 'v2s2'), { signal: t.signal });
  assert.notEqual(docker.digest, byTag.digest);
  assert.equal(docker.treeDigest, byTag.treeDigest);

  await addLayer(reference.slice('oci:'.length), `${folder}/moved`, { add: { 'app/moved': 'yes' } });
  await registry.push(reference, 'team/app:1');
  const moved = await store.prepare(tagged, { signal: t.signal });
  assert.equal(await read(moved, 'app/moved'), 'yes');
  const newNode = await createImageStore({ dir: `${folder}/new-node`, log });
  const pinned = await newNode.open({ reference: tagged, digest: byTag.digest }, { signal: t.signal });
  assert.equal(pinned.treeDigest, byTag.treeDigest);
  assert.equal(existsSync(path.join(pinned.rootPath, 'app/moved')), false);
});

test('a folder image, and a source that has moved on', options, async (t) => {
  const { folder, store, reference } = await fixture(t);
  await mkdir(`${folder}/copy`);
  await execa('skopeo', ['--insecure-policy', 'copy', reference, `dir:${folder}/copy`]);
  const image = await store.prepare(`dir:${folder}/copy`, { signal: t.signal });
  assert.equal(await read(image, 'app/new'), 'new');
  await addLayer(reference.slice('oci:'.length), `${folder}/moved`, { add: { 'app/moved': 'yes' } });
  const newNode = await createImageStore({ dir: `${folder}/new-node`, log });
  const opening = newNode.open({ reference, digest: image.digest }, { signal: t.signal });
  const error = await expectError(opening, 'image-invalid', /another image/);
  assert.equal(error.details['expected'], image.digest);
  await store.open({ reference, digest: image.digest }, { signal: t.signal }); // this node has it
});

test('what the image says about running it', options, async (t) => {
  const folder = await temporaryFolder(t);
  const config = [
    '--config.entrypoint',
    '/app/run',
    '--config.cmd',
    '--fast',
    '--config.env',
    'A=1=2',
    '--config.user',
    'app:1',
  ];
  const reference = await createTestImage(folder, layers, [...config, '--config.workingdir', '/app']);
  const store = await createImageStore({ dir: `${folder}/node`, log });
  const image = await store.prepare(reference, { signal: t.signal });
  assert.deepEqual(image.config.entrypoint, ['/app/run']);
  assert.deepEqual(image.config.cmd, ['--fast']);
  assert.equal(image.config.env['A'], '1=2');
  assert.deepEqual([image.config.user, image.config.workingDir], ['app:1', '/app']);
});

test(
  'a changed lower is refused, with what differs, and accepted again when the change is undone',
  options,
  async (t) => {
    const { store, reference } = await fixture(t);
    const image = await store.prepare(reference, { signal: t.signal });
    const kept = path.join(image.rootPath, 'app/kept');
    const before = await lstat(kept);
    await store.verify(image, t.signal);

    await writeFile(kept, 'KEPT');
    await utimes(kept, before.atime, before.mtime); // the same size and time: only ctime tells
    await writeFile(path.join(image.rootPath, 'app/more'), '');
    const error = await expectError(store.verify(image, t.signal), 'lower-mismatch', /has changed/);
    assert.deepEqual(error.details['differences'], ['changed: /app/kept', 'added: /app/more']);
    assert.equal(error.details['expected'], image.treeDigest);
    assert.notEqual(error.details['actual'], image.treeDigest);

    await writeFile(kept, 'kept');
    await execa('rm', [path.join(image.rootPath, 'app/more')]);
    await store.verify(image, t.signal);

    await chmod(kept, 0o600);
    await expectError(store.verify(image, t.signal), 'lower-mismatch', /has changed/);
    await chmod(kept, before.mode & 0o7777);
    await store.verify(image, t.signal);
    await expectError(store.verify({ ...image, treeDigest: image.digest }, t.signal), 'lower-mismatch', /has changed/);
  },
);

test('a lower that is gone is an error that names it, and the next check works', options, async (t) => {
  const { store, reference } = await fixture(t);
  const image = await store.prepare(reference, { signal: t.signal });
  await expectError(
    store.verify({ ...image, rootPath: `${image.rootPath}-gone` }, t.signal),
    'internal',
    /-gone: ENOENT/,
  );
  await Promise.all([store.verify(image, t.signal), store.verify(image, t.signal)]);
  const aborted = AbortSignal.abort(new Error('enough'));
  await assert.rejects(store.verify(image, aborted), /enough/);
  await store[Symbol.asyncDispose]();
  await store.verify(image, t.signal); // a new thread
  await store[Symbol.asyncDispose]();
});

test('attaching is read-only, copies nothing and leaves nothing', options, async (t) => {
  const { folder, store } = await fixture(t);
  await mkdir(`${folder}/big`);
  const big = await createTestImage(`${folder}/big`, [{ add: { 'app/large': 'x'.repeat(32 * 1024 * 1024) } }]);
  const image = await store.prepare(big, { signal: t.signal });
  const shared = `${folder}/shared`;
  const free = async () => (await statfs(folder)).bfree;
  const before = await free();
  const attached = await store.attach(image, shared, 'web');
  const large = path.join(shared, 'web/rootfs/app/large');
  assert.equal((await lstat(large)).ino, (await lstat(path.join(image.rootPath, 'app/large'))).ino);
  const blockSize = (await statfs(folder)).bsize;
  assert.ok((before - (await free())) * blockSize < 16 * 1024 * 1024, 'attaching takes no space');
  await assert.rejects(writeFile(large, ''), { code: 'EROFS' });
  await assert.rejects(mkdir(path.join(shared, 'web/rootfs/x')), { code: 'EROFS' });
  await attached[Symbol.asyncDispose]();
  assert.deepEqual(await readdir(shared), []);
  assert.ok(existsSync(image.rootPath));
  await store.verify(image, t.signal);
  for (const name of ['..', 'a/b', 'a_b', '-a', '', 'A']) {
    await expectError(store.attach(image, shared, name), 'invalid-input', /container name/);
  }
});

test('sweep detaches what a killed process left', options, async (t) => {
  const { folder, store, reference } = await fixture(t);
  const image = await store.prepare(reference, { signal: t.signal });
  await store.attach(image, `${folder}/vms/1`, 'front');
  await store.attach(image, `${folder}/vms/2`, 'back');
  assert.equal((await mountsBelow(`${folder}/vms`)).length, 2);
  assert.equal((await store.sweep(`${folder}/vms`)).length, 2);
  assert.deepEqual(await mountsBelow(folder), []);
  assert.ok(existsSync(path.join(image.rootPath, 'app/kept')));
});

test('references that lead nowhere say so in the words of the tool', options, async (t) => {
  const { folder, store } = await fixture(t);
  const registry = await startRegistry(t);
  const signal = t.signal;
  await expectError(
    store.prepare(`${registry.host}/no/such:1`, { signal }),
    'image-unavailable',
    /manifest unknown|unknown/,
  );
  await expectError(store.prepare('127.0.0.1:1/no/such:1', { signal }), 'image-unavailable', /connection refused/);
  await expectError(store.prepare(`oci:${folder}/nothing:1`, { signal }), 'image-unavailable', /no such file/);
  await expectError(
    store.prepare(`oci:${folder}/layout:no-such-tag`, { signal }),
    'image-unavailable',
    /no-such-tag|descriptor/,
  );
  await expectError(store.prepare('--all', { signal }), 'invalid-input', /not an image reference/);
  assert.deepEqual(await readdir(`${folder}/node/unfinished`), []);
  assert.deepEqual(await readdir(`${folder}/node/images`), []);
});

test('a damaged layer and an image for another machine are refused', options, async (t) => {
  const { folder, store, reference } = await fixture(t);
  await execa('umoci', ['config', '--image', `${folder}/layout:latest`, '--tag', 'foreign', '--architecture', 's390x']);
  const foreign = `oci:${folder}/layout:foreign`;
  await expectError(store.prepare(foreign, { signal: t.signal }), 'image-invalid', /linux\/s390x/);
  const manifest = JSON.parse((await execa('skopeo', ['inspect', '--raw', reference])).stdout) as {
    layers: { digest: string }[];
  };
  const blob = path.join(folder, 'layout/blobs', (manifest.layers[0]?.digest ?? '').replace(':', '/'));
  const bytes = await readFile(blob);
  bytes[bytes.length >> 1] = ~(bytes[bytes.length >> 1] ?? 0) & 255;
  await chmod(blob, 0o600);
  await writeFile(blob, bytes);
  const newNode = await createImageStore({ dir: `${folder}/new-node`, log }); // the first one has the layer already
  await expectError(newNode.prepare(reference, { signal: t.signal }), 'image-unavailable', /digest/i);
  assert.deepEqual(await readdir(`${folder}/new-node/images`), []);
});

test('an abort ends the work of the one who waits, not of the others', options, async (t) => {
  const { folder, store, reference } = await fixture(t);
  const controller = new AbortController();
  const gaveUp = store.prepare(reference, {
    signal: controller.signal,
    onProgress: ({ step }) => step === 'pull' && controller.abort(new Error('enough')),
  });
  await assert.rejects(gaveUp, /enough/);
  const image = await store.prepare(reference, { signal: t.signal });
  assert.equal(await read(image, 'app/kept'), 'kept');
  assert.deepEqual(await readdir(`${folder}/node/unfinished`), []);
});

test('what a killed process had half unpacked is not believed', options, async (t) => {
  const { folder, store, reference } = await fixture(t);
  const program = `
    import { createImageStore } from ${JSON.stringify(new URL('image-store.ts', import.meta.url).href)};
    import { createLogger } from ${JSON.stringify(new URL('../../shared/telemetry/logger.ts', import.meta.url).href)};
    const store = await createImageStore({ dir: '${folder}/node', log: createLogger('error', {}) });
    await store.prepare('${reference}', { signal: AbortSignal.timeout(20000), onProgress: ({ step }) => {
      if (step === 'digest') process.kill(process.pid, 'SIGKILL');
    } });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');
  const [unfinished] = await readdir(`${folder}/node/unfinished`);
  assert.ok(unfinished, 'it was in the middle of its work');
  await writeFile(`${folder}/node/unfinished/${unfinished}/rootfs/app/kept`, 'half');
  const image = await store.prepare(reference, { signal: t.signal });
  assert.equal(await read(image, 'app/kept'), 'kept');
  assert.deepEqual(await readdir(`${folder}/node/unfinished`), []);
});

test('an image cannot make the host’s files its own through links', options, async (t) => {
  const folder = await temporaryFolder(t);
  const outside = `${folder}/outside`;
  await mkdir(outside);
  await mkdir(`${folder}/evil`);
  for (const name of ['etc', 'run']) await execa('ln', ['-s', outside, `${folder}/evil/${name}`]);
  await execa('ln', ['-s', '../../../../../../..' + outside, `${folder}/evil/dev`]);
  const reference = await createTestImage(folder, []);
  await execa('umoci', ['insert', '--image', `${folder}/layout:latest`, `${folder}/evil`, '/']);
  const store = await createImageStore({ dir: `${folder}/node`, log });
  const image = await store.prepare(reference, { signal: t.signal });
  assert.deepEqual(await readdir(outside), []);
  assert.deepEqual((await readdir(path.join(image.rootPath, outside))).sort(), [
    'dormouse',
    'hostname',
    'hosts',
    'pts',
    'resolv.conf',
    'shm',
  ]);
});

const climb = '../'.repeat(12);
for (const [what, names] of [
  ['that climbs out of its root', (outside: string) => [['file', `${climb.slice(0, -1)}${outside}/planted`]]],
  ['that is absolute', (outside: string) => [['file', `${outside}/planted`]]],
  [
    'through a link that it brought',
    (outside: string) => [
      ['link', 'way'],
      ['file', 'way/planted'],
      ['file', `${outside}/planted`],
    ],
  ],
  [
    'that removes what is outside',
    (outside: string) => [
      ['file', `${climb.slice(0, -1)}${outside}/.wh.precious`],
      ['file', `${outside}/.wh.precious`],
    ],
  ],
] as const satisfies readonly (readonly [string, (outside: string) => (readonly [string, string])[]])[]) {
  test(`a layer with a path ${what} touches nothing outside of the image`, options, async (t) => {
    const folder = await temporaryFolder(t);
    const outside = `${folder}/outside`;
    await mkdir(`${folder}/source`);
    await mkdir(outside);
    await writeFile(`${outside}/precious`, 'whole');
    await writeFile(`${folder}/source/file`, 'planted');
    await execa('ln', ['-s', outside, `${folder}/source/link`]);
    const reference = await createTestImage(folder, layers);
    for (const [source, target] of names(outside)) {
      const tar = ['--append', '-P', '-f', `${folder}/evil.tar`, '-C', `${folder}/source`];
      // Flags S: the link's own target is left as it is.
      await execa('tar', [...tar, `--transform=flags=rSH;s|^${source}$|${target}|`, source]);
    }
    const { stdout } = await execa('tar', ['-P', '-tf', `${folder}/evil.tar`]);
    assert.ok(
      names(outside).every(([, target]) => stdout.split('\n').includes(target)),
      stdout,
    );
    await execa('umoci', ['raw', 'add-layer', '--image', `${folder}/layout:latest`, `${folder}/evil.tar`]);
    const store = await createImageStore({ dir: `${folder}/node`, log });
    await store.prepare(reference, { signal: t.signal }).catch((error: unknown) => {
      assert.ok(error instanceof DormouseError, String(error)); // refused, or kept inside: either will do
    });
    assert.deepEqual(await readdir(outside), ['precious']);
    assert.equal(await readFile(`${outside}/precious`, 'utf8'), 'whole');
  });
}

test('a lock is held by one at a time and freed by the death of its holder', options, async (t) => {
  const { lockFile } = await import('./file-lock.ts');
  const file = path.join(await temporaryFolder(t), 'lock');
  const first = await lockFile(file, t.signal);
  const waiting = new AbortController();
  let second: AsyncDisposable | undefined;
  const locking = lockFile(file, t.signal).then((lock) => (second = lock));
  const givenUp = lockFile(file, waiting.signal);
  waiting.abort(new Error('enough'));
  await assert.rejects(givenUp, /enough/);
  assert.equal(second, undefined);
  await first[Symbol.asyncDispose]();
  await (await locking)[Symbol.asyncDispose]();

  const program = `
    import { lockFile } from ${JSON.stringify(new URL('file-lock.ts', import.meta.url).href)};
    await lockFile('${file}', AbortSignal.timeout(20000));
    process.kill(process.pid, 'SIGKILL');`;
  await once(spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' }), 'exit');
  const afterDeath = await Promise.race([lockFile(file, t.signal), delay(10_000, undefined, { ref: false })]);
  assert.ok(afterDeath, 'the kernel freed it');
  await afterDeath[Symbol.asyncDispose]();
});
