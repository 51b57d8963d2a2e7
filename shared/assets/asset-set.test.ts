import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { DormouseError } from '../errors/dormouse-error.ts';
import { assetDescriptionSchema, digestOfSet, openAssetSet, parseAssetSet, verifyAssetSet } from './asset-set.ts';
import { firmwareArguments, guestFile, programCommand } from './program-command.ts';
import { sampleDescription, writeSampleSet } from './sample-asset-set.ts';

async function sampleSet(context: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'asset-set-'));
  context.after(() => rm(folder, { recursive: true }));
  await writeSampleSet(folder);
  return folder;
}

const invalid = (words: RegExp) => ({ code: 'asset-invalid', message: words });

test('a whole set opens and verifies', async (context) => {
  const folder = await sampleSet(context);
  const set = await verifyAssetSet(folder);
  assert.equal(set.root, folder);
  assert.equal(set.contents.digest, digestOfSet(sampleDescription()));
});

for (const role of ['vmm', 'virtiofsd', 'kernel', 'initramfs'] as const) {
  test(`a set without ${role} is refused`, () => {
    const description = sampleDescription();
    const { [role]: file, ...others } = description.roles;
    assert.equal(assetDescriptionSchema.safeParse({ ...description, roles: others }).success, false);
    const files = description.files.filter((item) => item.path !== file);
    assert.equal(assetDescriptionSchema.safeParse({ ...description, files }).success, false);
  });
}

for (const bad of ['../outside', '/etc/passwd', 'a/../../b', 'a//b', './a', '']) {
  test(`a file called '${bad}' is refused`, () => {
    const description = sampleDescription();
    const files = [...description.files, { path: bad, sizeBytes: 0, sha256: '0'.repeat(64), mode: 0o644 }];
    assert.equal(assetDescriptionSchema.safeParse({ ...description, files }).success, false);
  });
}

test('whatever a description is changed into, it is itself or refused in our words', () => {
  const whole = { ...sampleDescription(), digest: digestOfSet(sampleDescription()) };
  const changed = fc
    .tuple(fc.constantFrom(...Object.keys(whole)), fc.jsonValue())
    .map(([key, value]) => ({ ...whole, [key]: value }));
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    changed.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        assert.deepEqual(parseAssetSet(text, 'set.json'), whole);
      } catch (error) {
        assert.ok(error instanceof DormouseError && error.code === 'asset-invalid', String(error));
      }
    }),
  );
});

test('the digest does not depend on the order of fields, and covers each of them', () => {
  const description = sampleDescription();
  const reversed = Object.fromEntries(Object.entries(description).reverse());
  assert.equal(digestOfSet(assetDescriptionSchema.parse(reversed)), digestOfSet(description));
  assert.notEqual(digestOfSet({ ...description, kernelRelease: 'another' }), digestOfSet(description));
});

test('a description under another name is refused', () => {
  const json = JSON.stringify({ ...sampleDescription(), digest: 'f'.repeat(64) });
  assert.throws(() => parseAssetSet(json, 'here'), invalid(/here .*digest is not that of the contents/s));
  assert.throws(() => parseAssetSet('{', 'here'), invalid(/here is not JSON/));
});

test('a folder without a set is refused', async () => {
  await assert.rejects(openAssetSet('/nonexistent'), invalid(/no asset set at \/nonexistent/));
});

test('a missing, a cut and a replaced file are named at once', async (context) => {
  const folder = await sampleSet(context);
  const kernel = path.join(folder, 'guest/kernel');
  await truncate(kernel, 3);
  await assert.rejects(openAssetSet(folder), invalid(/guest\/kernel .* has 3 bytes instead of 8/));
  await rm(kernel);
  await assert.rejects(openAssetSet(folder), {
    ...invalid(/guest\/kernel .* is missing/),
    details: { file: 'guest/kernel' },
  });
  await symlink('/etc/hostname', kernel);
  await assert.rejects(openAssetSet(folder), invalid(/guest\/kernel .* is not a regular file/));
});

test('a tampered file of the right size is found by verifying', async (context) => {
  const folder = await sampleSet(context);
  await writeFile(path.join(folder, 'guest/kernel'), 'A kernel');
  await openAssetSet(folder);
  await assert.rejects(verifyAssetSet(folder), invalid(/guest\/kernel .* has other contents/));
});

test('programs start through the loader and libraries of the set', async (context) => {
  const set = await openAssetSet(await sampleSet(context));
  const prefix = ['usr/lib64/ld.so', '--inhibit-cache', '--library-path', 'usr/lib/x86_64-linux-gnu'].map((word) =>
    word.startsWith('--') ? word : path.join(set.root, word),
  );
  const inSet = (file: string): string => path.join(set.root, file);
  assert.deepEqual(programCommand(set, 'vmm'), [...prefix, inSet('usr/bin/qemu-system-x86_64')]);
  assert.deepEqual(programCommand(set, 'virtiofsd'), [...prefix, inSet('usr/libexec/virtiofsd')]);
  assert.deepEqual(programCommand(set, { emulatorOf: 'arm64' }), [...prefix, inSet('usr/bin/qemu-system-aarch64')]);
  assert.deepEqual(programCommand(set, { emulatorOf: 'amd64' }), [...prefix, inSet('usr/bin/qemu-system-x86_64')]);
  assert.deepEqual(firmwareArguments(set), ['-L', inSet('usr/share/seabios'), '-L', inSet('usr/share/qemu')]);
  assert.equal(guestFile(set, 'kernel'), inSet('guest/kernel'));
});

test('a set that cannot emulate an architecture says so', async (context) => {
  const set = await openAssetSet(await sampleSet(context));
  const without = { ...set, contents: { ...set.contents, emulators: {} } };
  assert.throws(() => programCommand(without, { emulatorOf: 'arm64' }), invalid(/cannot emulate arm64/));
});
