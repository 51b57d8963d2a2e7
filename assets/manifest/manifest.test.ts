import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectures } from '../../shared/assets/asset-set.ts';
import { requireSamePins } from './contributions.ts';
import { manifestSchema, parseManifest, readManifest } from './manifest.ts';

for (const architecture of architectures) {
  test(`the ${architecture} pins are whole`, async () => {
    const manifest = await readManifest(architecture);
    assert.equal(manifest.architecture, architecture);
    assert.ok(manifest.packages.every(({ files }) => Object.keys(files).length > 0));
  });

  for (const [role, file] of [
    ['VMM', /^usr\/bin\/qemu-system-/],
    ['virtiofsd', /virtiofsd$/],
    ['kernel', /^boot\/vmlinuz-/],
    ['initramfs', /busybox$/],
    ['initramfs', /crun$/],
    ['initramfs', /overlay\.ko/],
  ] as const) {
    test(`${architecture} pins without ${file.source} are refused`, async () => {
      const manifest = await readManifest(architecture);
      const packages = manifest.packages.map((pin) => ({
        ...pin,
        files: Object.fromEntries(Object.entries(pin.files).filter(([name]) => !file.test(name))),
      }));
      const refusal = { code: 'asset-invalid', message: new RegExp(`no package gives the ${role}`) };
      assert.throws(() => parseManifest(JSON.stringify({ ...manifest, packages }), 'here'), refusal);
    });
  }
}

test('a digest that is none, an unknown field and an unknown format are refused', async () => {
  const manifest = await readManifest('amd64');
  const [first, ...rest] = manifest.packages;
  assert.equal(
    manifestSchema.safeParse({ ...manifest, packages: [{ ...first, sha256: 'short' }, ...rest] }).success,
    false,
  );
  assert.equal(manifestSchema.safeParse({ ...manifest, extra: 1 }).success, false);
  assert.equal(manifestSchema.safeParse({ ...manifest, formatVersion: 2 }).success, false);
});

test('no host stands in the pins', async () => {
  for (const architecture of architectures) {
    assert.doesNotMatch(JSON.stringify(await readManifest(architecture)), /https?:/);
  }
});

test('pins that differ from what was used are refused, with the difference', async () => {
  const manifest = await readManifest('amd64');
  requireSamePins(manifest, manifest.packages);
  assert.throws(() => requireSamePins(manifest, manifest.packages.slice(1)), {
    code: 'asset-invalid',
    message: /update/,
  });
});
