import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { readEnvironment } from '../../shared/config/environment.ts';
import { workerAllocator } from '../stack/processes.ts';
import { readEnvironmentFile, readUnit } from './unit-file.ts';

const folder = new URL('./systemd/', import.meta.url);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const installed = '/opt/dormouse';
const services = ['dormouse-api.service', 'dormouse-worker.service'] as const;
const read = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8');

const scratch = await mkdtemp(path.join(tmpdir(), 'dormouse-units-'));
after(() => rm(scratch, { recursive: true, force: true }));

test('systemd finds nothing to complain about in the units', async () => {
  const units = [...services, 'dormouse.target'];
  for (const name of units) {
    // Verified where this repository lies; users are made by whoever installs it.
    const text = (await read(name)).replaceAll(`${installed}/`, repository).replace(/^(User|Group)=.*$/gm, '');
    await writeFile(path.join(scratch, name), text.replace(/^(WorkingDirectory)=.*$/m, `$1=${repository}`));
  }
  const files = units.map((name) => path.join(scratch, name));
  const verified = await execa('systemd-analyze', ['verify', '--man=no', ...files], { reject: false, all: true });
  const ours = verified.all.split('\n').filter((line) => line.includes('dormouse'));
  assert.deepEqual(ours, []);
  assert.equal(verified.exitCode, 0, verified.all);
});

test('systemd would complain', async () => {
  const file = path.join(scratch, 'wrong.service');
  await writeFile(file, '[Service]\nExecStart=/nowhere/dormouse\nRestartSec=soon\n');
  const verified = await execa('systemd-analyze', ['verify', '--man=no', file], { reject: false, all: true });
  assert.match(verified.all, /RestartSec|not executable/);
});

for (const name of services) {
  test(`${name} starts a program of this repository`, async () => {
    const [command = ''] = readUnit(await read(name)).get('ExecStart') ?? [];
    const [node = '', entry = ''] = command.split(' ');
    await access(node.replace(installed, repository));
    await access(path.join(repository, entry));
  });
}

const settings = async () =>
  readEnvironment(
    readEnvironmentFile(await read('dormouse.env')),
    'DORMOUSE_STORE',
    'DORMOUSE_HOST',
    'DORMOUSE_DRAIN_MS',
  );

test('the environment file holds settings that exist, with values that are right', async () => {
  const values = await settings();
  assert.equal(values.DORMOUSE_STORE, 'file:///var/lib/dormouse/store');
  assert.equal(values.DORMOUSE_HOST, '127.0.0.1');
});

test('a stop leaves more time than the programs take for it', async () => {
  const seconds = async (name: string): Promise<number> =>
    Number(readUnit(await read(name)).get('TimeoutStopSec')?.[0] ?? 0);
  const { DORMOUSE_DRAIN_MS: drainMs } = await settings();
  assert.ok((await seconds('dormouse-api.service')) * 1000 > drainMs);
  assert.ok((await seconds('dormouse-worker.service')) * 1000 > 120_000); // worker/node/give-back.ts
});

test('a worker gives freed memory back here as in the local stack', async () => {
  const lines = readUnit(await read('dormouse-worker.service')).get('Environment') ?? [];
  const set = readEnvironmentFile(lines.flatMap((line) => line.split(' ')).join('\n'));
  assert.deepEqual({ ...set, ...workerAllocator }, set);
});
