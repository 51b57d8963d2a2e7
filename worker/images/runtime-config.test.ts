import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import type { ContainerSpec } from '../../shared/template/template-spec.ts';
import { resolveUser } from './image-user.ts';
import type { ImageRunConfig } from './manifest.ts';
import { ociRuntimeConfig } from './runtime-config.ts';
import { temporaryFolder } from './test-images.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
broken
app:x:1000:1001::/srv/app:/bin/false
42:x:7:8::/seven:/bin/false
`;
const group = 'root:x:0:\napp:x:1001:\nlogs:x:50:nobody,app\nwheel:x:10:root\n';

async function imageRoot(t: TestContext): Promise<string> {
  const root = await temporaryFolder(t);
  await mkdir(`${root}/etc`);
  await writeFile(`${root}/etc/passwd`, passwd);
  await writeFile(`${root}/etc/group`, group);
  return root;
}

const imageConfig: ImageRunConfig = {
  entrypoint: ['/app/run', '-x'],
  cmd: ['serve'],
  env: { A: 'image', B: 'image' },
  user: '',
  workingDir: '/app',
};

interface ProcessConfig {
  readonly args: string[];
  readonly env: string[];
  readonly cwd: string;
  readonly user: { uid: number; gid: number; additionalGids: number[] };
  readonly capabilities: Record<string, string[]>;
}

async function processOf(
  rootPath: string,
  spec: Partial<ContainerSpec>,
  config: Partial<ImageRunConfig> = {},
): Promise<ProcessConfig> {
  const container: ContainerSpec = { name: 'web', image: 'dir:/x', env: {}, ...spec };
  const made = await ociRuntimeConfig(container, { rootPath, config: { ...imageConfig, ...config } });
  return made['process'] as ProcessConfig;
}

test('command and args replace entrypoint and cmd as in Kubernetes', async (t) => {
  const root = await imageRoot(t);
  assert.deepEqual((await processOf(root, {})).args, ['/app/run', '-x', 'serve']);
  assert.deepEqual((await processOf(root, { args: ['a'] })).args, ['/app/run', '-x', 'a']);
  assert.deepEqual((await processOf(root, { args: [] })).args, ['/app/run', '-x']);
  assert.deepEqual((await processOf(root, { command: ['c'] })).args, ['c']);
  assert.deepEqual((await processOf(root, { command: ['c'], args: ['a'] })).args, ['c', 'a']);
  await assert.rejects(processOf(root, {}, { entrypoint: [], cmd: [] }), { code: 'container-start-failed' });
});

test('environment, folder and user: the template’s word counts before the image’s', async (t) => {
  const root = await imageRoot(t);
  const made = await processOf(root, { env: { B: 'template' }, cwd: '/srv', user: 'app' });
  assert.deepEqual(made.env.slice(1), ['HOME=/srv/app', 'A=image', 'B=template']);
  assert.match(made.env[0] ?? '', /^PATH=.*:\/bin$/);
  assert.equal(made.cwd, '/srv');
  assert.deepEqual(made.user, { uid: 1000, gid: 1001, additionalGids: [50] });
  assert.equal((await processOf(root, {}, { workingDir: '' })).cwd, '/');
  assert.equal((await processOf(root, {}, { user: 'app:logs' })).user.gid, 50);
});

test('root has the usual capabilities, another user none', async (t) => {
  const root = await imageRoot(t);
  const [asRoot, asUser] = [await processOf(root, {}), await processOf(root, { user: 'app' })];
  assert.ok(asRoot.capabilities['effective']?.includes('CAP_NET_BIND_SERVICE'));
  assert.equal(asRoot.capabilities['bounding']?.includes('CAP_SYS_ADMIN'), false);
  assert.deepEqual(asUser.capabilities['effective'], []);
  assert.deepEqual(asUser.capabilities['bounding'], asRoot.capabilities['bounding']);
});

test('users are looked up in the image', async (t) => {
  const root = await imageRoot(t);
  const users: readonly (readonly [string, number, number, string])[] = [
    ['', 0, 0, '/root'],
    ['root', 0, 0, '/root'],
    ['1000', 1000, 1001, '/srv/app'],
    ['42', 7, 8, '/seven'], // a name that looks like a number is a name first
    ['5000', 5000, 0, '/'],
    ['app:wheel', 1000, 10, '/srv/app'],
    ['5000:6000', 5000, 6000, '/'],
  ];
  for (const [text, uid, gid, home] of users) {
    const user = await resolveUser(root, text);
    assert.deepEqual([user.uid, user.gid, user.home], [uid, gid, home], text);
  }
  for (const text of ['nobody', 'app:nobody', '-1', '1e3']) {
    await assert.rejects(resolveUser(root, text), { code: 'container-start-failed' }, text);
  }
});

test('an image without passwd runs as numbers say, and a link cannot show the host’s', async (t) => {
  const root = await temporaryFolder(t);
  assert.deepEqual(await resolveUser(root, ''), { uid: 0, gid: 0, additionalGids: [], home: '/' });
  await mkdir(`${root}/etc`);
  await symlink('/etc/passwd', `${root}/etc/group`);
  await symlink('../../../../../../../../etc/group', `${root}/etc/passwd`);
  await assert.rejects(resolveUser(root, 'daemon'), { code: 'image-invalid' }); // each leads to the other, inside the image
});

test('no network namespace of its own; limits only where the template sets them', async (t) => {
  const root = await imageRoot(t);
  const spec: ContainerSpec = { name: 'web', image: 'dir:/x', env: {} };
  const image = { rootPath: root, config: imageConfig };
  interface Linux {
    namespaces: { type: string }[];
    cgroupsPath: string;
    resources: Record<string, unknown>;
  }
  const plain = (await ociRuntimeConfig(spec, image))['linux'] as Linux;
  assert.deepEqual(plain.namespaces.map(({ type }) => type).sort(), ['cgroup', 'ipc', 'mount', 'pid', 'uts']);
  assert.equal(plain.cgroupsPath, '/dormouse/web');
  assert.deepEqual(Object.keys(plain.resources), ['devices']);
  const limits = { memoryMiB: 64, pids: 100, cpus: 0.5 };
  const limited = (await ociRuntimeConfig({ ...spec, limits }, image))['linux'] as Linux;
  assert.deepEqual(limited.resources['memory'], { limit: 67_108_864 });
  assert.deepEqual(limited.resources['pids'], { limit: 100 });
  assert.deepEqual(limited.resources['cpu'], { quota: 50_000, period: 100_000 });
});
