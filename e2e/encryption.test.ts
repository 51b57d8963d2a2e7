import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { glob, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { execa } from 'execa';
import { DormouseApiError } from '../sdk/api-error.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { until } from '../shared/process/until.ts';
import { callCounter, callTimes, resumeOn, suspend } from './counter-calls.ts';
import { travel } from './journey.ts';
import { startPlatform, type Platform } from './platform.ts';

const secret = (): string => randomBytes(32).toString('base64');
const [oldSecret, newSecret] = [secret(), secret()];
const oldKey = `old:${oldSecret}`;
const newKey = `new:${newSecret}`;
const zstdMark = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

suite('encrypted snapshots', () => {
  test('an actor travels, needs its key, is mended by it, and outlives it after a rotation', async () => {
    await using resources = new AsyncDisposableStack();
    const home = await mkdtemp(path.join(tmpdir(), 'dm-enc-'));
    resources.defer(() => removeTree(home, tmpdir()));
    const withKeys = async (keys: string, work: (platform: Platform) => Promise<void>): Promise<void> => {
      await using platform = await startPlatform({ home, environment: { DORMOUSE_ENCRYPTION_KEYS: keys } });
      await work(platform);
      await showsNoKey(platform);
    };

    await withKeys(oldKey, async (platform) => {
      await platform.template('counter');
      await travel(platform, { template: 'counter', actor: 'secretive', generations: 2 });
      await suspend(platform.client, 'secretive'); // 15 calls, three generations
      await platform.client.actors.create({ id: 'talker', template: 'counter' });
      await callCounter(platform.client, 'talker');
      await hasLog(platform); // whoever asks makes its node read it
      await suspend(platform.client, 'talker');
      await hasLog(platform);
      await looksLikeNoise(home);
    });

    await withKeys(newKey, async ({ client }) => {
      await failsWith(client, 'encryption-key-missing', /encrypted with the key old; configured: new/);
    });
    await withKeys(`old:${newSecret}`, async ({ client }) => {
      await assert.rejects(client.actors.resume('secretive', { node: 'node-1', waitMs: 60_000 }), {
        code: 'encryption-key-wrong',
      });
      assert.equal((await client.actors.get('secretive')).state, 'failed');
    });

    await withKeys(`${newKey},${oldKey}`, async ({ client }) => {
      await resumeOn(client, 'secretive', 'node-1');
      assert.equal((await callCounter(client, 'secretive')).count.memory, 16, 'nothing was lost');
      await suspend(client, 'secretive');
      const environment = { DORMOUSE_ENCRYPTION_KEYS: `${newKey},${oldKey}` };
      const { stdout } = await execa('npm', ['run', 'rekey', '--', '--store', `file://${home}/store`], {
        env: environment,
      });
      assert.match(stdout, /wrapped by new alone.*\nevery other key can be dropped/);
    });

    await withKeys(newKey, async (platform) => {
      const { client } = platform;
      await hasLog(platform);
      const [first] = await callTimes(client, 'secretive', 2);
      assert.deepEqual([first?.count.memory, first?.count.file], [17, 17]);
      // What is absent may only be forgotten, until the registry that came back has been compared with the store.
      const created = (): Promise<boolean> =>
        client.actors.create({ id: 'newcomer', template: 'counter' }).then(
          () => true,
          (error: unknown) => {
            if (error instanceof DormouseApiError && error.code === 'registry-unavailable') return false;
            throw error;
          },
        );
      await until(created, { signal: AbortSignal.timeout(60_000), everyMs: 200, what: 'the registry to be compared' });
      assert.equal((await callCounter(client, 'newcomer')).count.memory, 1, 'the golden opens too');
      await suspend(client, 'secretive');
    });
    const wraps = await found(path.join(home, 'store', '**', '*.keys', '*'));
    assert.ok(wraps.length >= 4, 'golden and generations');
    assert.deepEqual(new Set(wraps.map((file) => path.basename(file))), new Set(['new']));
  });
});

type Client = Platform['client'];

async function failsWith(client: Client, code: string, words: RegExp): Promise<void> {
  await assert.rejects(client.actor('secretive').fetch('/'), { code, message: words });
  const { state, lastError, generation } = await client.actors.get('secretive');
  assert.deepEqual([state, lastError?.code, generation], ['failed', code, 3]);
}

/** What it wrote is shown, awake or asleep; it is written beside the suspend. */
const hasLog = ({ url }: Platform): Promise<void> =>
  until(async () => (await (await fetch(`${url}/v1/actors/talker/logs`)).text()).includes('counter: listening'), {
    signal: AbortSignal.timeout(30_000),
    everyMs: 100,
    what: 'the log of an actor',
  });

/** No stored part begins as a zstd frame does, and none can be told from random bytes by compressing it. */
async function looksLikeNoise(home: string): Promise<void> {
  const parts = await found(path.join(home, 'store', '{actors,templates}', '**', '{memory,device}'));
  assert.ok(parts.length >= 6, `a golden and generations, two parts each: ${parts.join(', ')}`);
  const logs = await found(path.join(home, 'store', 'actors', '**', '*.ndjson.zst'));
  assert.ok(logs.length >= 1);
  for (const file of [...parts, ...logs]) {
    const bytes = await readFile(file);
    assert.equal(bytes.indexOf(zstdMark), -1, `${file} holds a zstd frame`);
    assert.equal(bytes.subarray(0, 8).toString('latin1'), 'DMSEAL01');
    const counts = new Array<number>(256).fill(0);
    for (const byte of bytes.subarray(8)) counts[byte] = (counts[byte] ?? 0) + 1;
    const largest = Math.max(...counts) / (bytes.length - 8);
    assert.ok(bytes.length < 4096 || largest < 0.02, `${file}: one byte value makes up ${largest}`);
  }
}

/** Neither logs, nor what the api shows, nor the environment of any program but the workers. */
async function showsNoKey({ client, home, stack, url }: Platform): Promise<void> {
  const logs = await found(path.join(home, 'logs', '*'));
  const texts = [
    ...(await Promise.all(logs.map((file) => readFile(file, 'utf8')))),
    JSON.stringify(await client.actors.get('secretive')),
    JSON.stringify(await client.actors.explain('secretive')),
    JSON.stringify(await client.templates.get('counter')),
    await (await fetch(`${url}/v1/nodes`)).text(),
  ];
  assert.ok(logs.length >= 3 && stack.nodes.length === 2);
  for (const text of texts) assert.ok(!text.includes(oldSecret) && !text.includes(newSecret));
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const [command, environment] = await Promise.all(
      ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '')),
    );
    const knows = [oldSecret, newSecret].some((key) => environment?.includes(key) === true);
    assert.ok(!knows || command?.includes('worker/main.ts') === true, `${command ?? ''} was given the keys`);
  }
}

const found = async (pattern: string): Promise<string[]> => await Array.fromAsync(glob(pattern));
