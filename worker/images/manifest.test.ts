/** Manifests and configurations come from a registry that may be anybody's. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { digestOf, imageArchitecture, parseRunConfig, runConfigSchema, selectManifest } from './manifest.ts';
import { digestPattern } from './reference.ts';

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const digest = `sha256:${'a'.repeat(64)}`;
const platform = { os: 'linux', architecture: imageArchitecture };
const config = {
  ...platform,
  config: { Entrypoint: ['/bin/a'], Cmd: null, Env: ['A=b=c', 'B'], User: '1', WorkingDir: '/' },
};

/** Valid documents with any part replaced by anything. */
function mangled(valid: Readonly<Record<string, unknown>>): fc.Arbitrary<Buffer> {
  const keys = Object.keys(valid);
  return fc.oneof(
    fc.uint8Array().map((raw) => Buffer.from(raw)),
    fc.jsonValue().map(bytes),
    fc.tuple(fc.constantFrom(...keys), fc.jsonValue()).map(([key, value]) => bytes({ ...valid, [key]: value })),
  );
}

const refusesOrIs = (raw: Buffer, read: (raw: Buffer) => void): void => {
  try {
    read(raw);
  } catch (error) {
    assert.ok(error instanceof DormouseError && error.code === 'image-invalid', String(error));
  }
};

suite('what a registry says of an image', () => {
  test('a manifest is itself; of an index the one for this machine', () => {
    const manifest = bytes({ config: { digest }, layers: [{ digest }] });
    assert.equal(selectManifest(manifest, 'x'), digestOf(manifest));
    const others = [{ digest: `sha256:${'b'.repeat(64)}`, platform: { os: 'linux', architecture: 'z80' } }];
    assert.equal(selectManifest(bytes({ manifests: [...others, { digest, platform }] }), 'x'), digest);
    assert.throws(() => selectManifest(bytes({ manifests: others }), 'x'), { code: 'image-invalid' });
    assert.deepEqual(parseRunConfig(bytes(config), 'x'), {
      ...{ entrypoint: ['/bin/a'], cmd: [], env: { A: 'b=c', B: '' }, user: '1', workingDir: '/' },
    });
  });

  test('whatever comes: a digest or a refusal of ours', () => {
    const index = { manifests: [{ digest, platform }], config: { digest }, layers: [] };
    fc.assert(
      fc.property(mangled(index), (raw) => {
        refusesOrIs(raw, () => assert.match(selectManifest(raw, 'x'), digestPattern));
      }),
    );
  });

  test('whatever comes: a whole configuration or a refusal of ours', () => {
    const withInner = fc.oneof(
      mangled(config),
      mangled(config.config).map((inner) =>
        Buffer.from(`{"os":"linux","architecture":"${imageArchitecture}","config":${inner.toString()}}`),
      ),
    );
    fc.assert(
      fc.property(withInner, (raw) => {
        refusesOrIs(raw, () => assert.ok(runConfigSchema.safeParse(parseRunConfig(raw, 'x')).success));
      }),
    );
  });

  test('a variable named like a part of every object stays a variable', () => {
    const env = ['__proto__=1', 'constructor=2'];
    const parsed = parseRunConfig(bytes({ ...config, config: { ...config.config, Env: env } }), 'x');
    assert.deepEqual(Object.entries(parsed.env), [
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });
});
