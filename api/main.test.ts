import assert from 'node:assert/strict';
import { execa } from 'execa';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from './stand-in/fixture.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

const start = (environment: Record<string, string>) =>
  execa('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, main], {
    env: environment,
    extendEnv: false,
    reject: false,
    timeout: 20_000,
  });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

suite('the api process', () => {
  test('starts, says what is missing, ends its streams and stops when asked', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-api-main-'));
    const [redisPort, port] = [await freePort(), await freePort()];
    const redisArguments = ['redis-server', '--port', String(redisPort), '--bind', '127.0.0.1', '--save', ''];
    const pdeath = ['--pdeathsig', 'KILL', '--'];
    const redis = execa('setpriv', [...pdeath, ...redisArguments, '--dir', folder], { reject: false });
    const url = `http://127.0.0.1:${port}`;
    const child = start({
      PATH: '/usr/bin:/bin',
      DORMOUSE_HOME: folder,
      DORMOUSE_PORT: String(port),
      DORMOUSE_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      DORMOUSE_DRAIN_MS: '500',
    });
    try {
      const readiness = async (): Promise<string> => {
        const answer = await fetch(`${url}/readyz`).catch(() => undefined);
        return answer === undefined ? '' : String(((await answer.json()) as { missing: string[] }).missing);
      };
      await until(async () => (await readiness()) === 'nodes');
      const events = await fetch(`${url}/v1/events`);
      child.kill('SIGTERM');
      assert.equal(await events.text(), 'id: 0-0\n\n');
      const { exitCode, stderr } = await child;
      assert.equal(exitCode, 0, stderr);
    } finally {
      child.kill('SIGKILL');
      redis.kill('SIGTERM');
      await Promise.all([child, redis]);
      await rm(folder, { recursive: true });
    }
  });

  test('refuses to start without a token where others can reach it', async () => {
    const { exitCode, stderr } = await start({
      DORMOUSE_HOST: '0.0.0.0',
      DORMOUSE_REDIS_URL: 'redis://127.0.0.1:1',
    });
    assert.equal(exitCode, 1);
    const line = JSON.parse(stderr) as { code: string; msg: string };
    assert.equal(line.code, 'invalid-configuration');
    assert.match(line.msg, /DORMOUSE_TOKEN/);
  });
});
