import assert from 'node:assert/strict';
import { lstat, readFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { execa } from 'execa';
import { toolchainPlace } from '../setup/asset-place.ts';
import { buildTemplates, bundledTemplates, type BuildTemplatesOptions } from './build.ts';
import { temporaryFolder } from './running-counter.ts';

const options = { timeout: 600_000 };

interface Build extends BuildTemplatesOptions {
  readonly messages: string[];
}

async function buildIn(t: TestContext): Promise<Build> {
  const messages: string[] = [];
  const toolchain = toolchainPlace(() => undefined);
  return { cacheDir: await temporaryFolder(t), toolchain, messages, onProgress: (message) => messages.push(message) };
}

async function manifestDigest(reference = ''): Promise<string> {
  return (await execa('skopeo', ['inspect', '--format', '{{.Digest}}', reference])).stdout;
}

/** Unpacks an image as a node would; returns the root. */
async function unpack(t: TestContext, reference = ''): Promise<string> {
  const root = `${await temporaryFolder(t)}/root`;
  await execa('umoci', ['raw', 'unpack', '--image', reference.slice('oci:'.length), root]);
  return root;
}

test('the same sources give the same images, and are built once', options, async (t) => {
  const [one, other] = [await buildIn(t), await buildIn(t)];
  const built = await buildTemplates(one);
  assert.deepEqual(Object.keys(built), [...bundledTemplates]);
  assert.ok(one.messages.length > 0);
  const again = await buildTemplates(other);
  for (const name of ['counter', 'node-counter'] as const) {
    const digest = await manifestDigest(built[name]?.images[name]);
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(await manifestDigest(again[name]?.images[name]), digest, name);
  }

  const layout = `${one.cacheDir}/images/counter`;
  const { ino } = await lstat(layout);
  one.messages.length = 0;
  assert.deepEqual(await buildTemplates(one), built);
  assert.deepEqual(one.messages, []);
  assert.equal((await lstat(layout)).ino, ino);

  await t.test('the counter’s root is one static program and its files', async (t) => {
    const root = await unpack(t, built['counter']?.images['counter']);
    assert.equal(((await lstat(root)).mode & 0o777).toString(8), '755');
    const { stdout } = await execa('find', ['.', '-type', 'f', '-printf', '%P %m %U %G %T@\n'], { cwd: root });
    const lower = ['delete', 'keep', 'overwrite', 'rename'].map((name) => `var/lib/counter/lower/${name}-me 644`);
    const expected = ['counter 755', ...lower].map((line) => `${line} 0 0 0.0000000000`);
    assert.deepEqual(stdout.split('\n').sort(), expected.sort());
  });

  await t.test('the Node.js counter’s root runs Node.js by itself', async (t) => {
    const root = await unpack(t, built['node-counter']?.images['node-counter']);
    const script =
      "console.log(process.version, require('fs').existsSync('/app/server.mjs'), require('os').userInfo().username)";
    const { stdout } = await execa('/usr/sbin/chroot', [root, '/usr/bin/node', '-e', script], { extendEnv: false });
    assert.match(stdout, /^v\d+\.\S+ true root$/);
    assert.match(await readFile(`${root}/etc/os-release`, 'utf8'), /VERSION_CODENAME=trixie/);
  });
});

test('the specifications are complete, with the references filled in', options, async (t) => {
  const build = await buildIn(t);
  const built = await buildTemplates({ ...build, names: ['counter', 'pair'] });
  const reference = `oci:${build.cacheDir}/images/counter:latest`;
  const counter = built['counter']?.spec;
  assert.ok(counter);
  assert.deepEqual([counter.name, counter.memoryMiB, counter.idleTimeoutMs], ['counter', 256, 60_000]);
  assert.equal(counter.containers[0]?.image, reference);
  assert.deepEqual(
    built['pair']?.spec.containers.map(({ name, image, port }) => [name, image, port]),
    [
      ['front', reference, 8080],
      ['back', reference, 8081],
    ],
  );
});
