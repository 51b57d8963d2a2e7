import assert from 'node:assert/strict';
import { cp, glob, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { execa } from 'execa';
import { callCounter, callTimes, suspend } from './counter-calls.ts';
import { startPlatform, type Platform } from './platform.ts';

interface Fsck {
  readonly exitCode: number | undefined;
  /** `verdict key` of everything that is not live. */
  readonly found: readonly string[];
  readonly live: number;
  readonly removed: readonly string[];
}

suite('fsck of a store in use', () => {
  let platform: Platform;
  let store: string;
  before(async () => {
    platform = await startPlatform();
    store = path.join(platform.home, 'store');
    await platform.template('counter');
    const { client } = platform;
    for (const id of ['asleep', 'awake']) {
      await client.actors.create({ id, template: 'counter' });
      for (let generation = 0; generation < 2; generation++) {
        await callTimes(client, id, 2);
        await suspend(client, id);
      }
    }
    await client.actors.create({ id: 'deleted', template: 'counter' });
    await client.actors.delete('deleted', { waitMs: 60_000 });
    await callCounter(client, 'awake');
  });
  after(() => platform[Symbol.asyncDispose]());

  async function fsck(...args: string[]): Promise<Fsck> {
    const main = path.resolve('infra/fsck/main.ts');
    const command = [main, '--store', `file://${store}`, '--json', ...args];
    const { exitCode, stdout, stderr } = await execa(process.execPath, command, { reject: false, timeout: 60_000 });
    assert.ok(stdout.startsWith('{'), stderr);
    const { objects } = JSON.parse(stdout) as { objects: { verdict: string; key: string; removed?: true }[] };
    return {
      exitCode,
      found: objects.filter(({ verdict }) => verdict !== 'live').map(({ verdict, key }) => `${verdict} ${key}`),
      live: objects.filter(({ verdict }) => verdict === 'live').length,
      removed: objects.filter(({ removed }) => removed).map(({ key }) => key),
    };
  }

  /** The newest file that matches, as a key. */
  async function keyOf(...pattern: string[]): Promise<string> {
    const found = (await Array.fromAsync(glob(path.join(store, ...pattern)))).sort();
    const last = found.at(-1);
    assert.ok(last, pattern.join('/'));
    return path.relative(store, last);
  }

  test('an undamaged store is clean, asleep and awake', async () => {
    const { exitCode, found, live } = await fsck();
    assert.deepEqual([exitCode, found], [0, []]);
    assert.ok(live > 10, String(live));
  });

  test('lists exactly what is damaged, and is clean again when that is undone', async () => {
    const flipped = await keyOf('actors', 'asleep', '*', 'blobs', '*', 'memory');
    const cut = await keyOf('actors', 'awake', '*', 'blobs', '*', 'memory');
    const moved = await keyOf('actors', 'asleep', '*', 'blobs', '*', 'device');
    const golden = await keyOf('templates', 'counter', '*', 'golden', '*', 'device');
    const before = new Map<string, Buffer>();
    for (const key of [flipped, cut, golden]) before.set(key, await readFile(path.join(store, key)));
    const damaged = (key: string): Buffer => Buffer.from(before.get(key) ?? '');
    const bytes = damaged(flipped);
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    await writeFile(path.join(store, flipped), bytes);
    await writeFile(path.join(store, cut), damaged(cut).subarray(0, -1));
    await writeFile(path.join(store, golden), Buffer.alloc(damaged(golden).length));
    await rename(path.join(store, moved), path.join(platform.home, 'away'));

    const expected = [`corrupt ${flipped}`, `corrupt ${cut}`, `corrupt ${golden}`, `missing ${moved}`];
    const first = await fsck();
    assert.deepEqual([first.exitCode, [...first.found].sort()], [1, expected.sort()]);
    const repaired = await fsck('--repair', '--grace-ms', '0');
    assert.deepEqual([repaired.exitCode, repaired.removed], [1, []], 'damage is not what --repair removes');

    for (const [key, content] of before) await writeFile(path.join(store, key), content);
    await rename(path.join(platform.home, 'away'), path.join(store, moved));
    assert.deepEqual((await fsck()).found, []);
  });

  test('--repair removes an orphan when it is old, and nothing that lives', async () => {
    const memory = await keyOf('actors', 'asleep', '*', 'blobs', '*', 'memory');
    const blobs = path.dirname(path.dirname(memory));
    const orphan = path.join(blobs, '1.0-1', 'memory');
    await cp(path.join(store, memory), path.join(store, orphan));
    const { live } = await fsck();

    const young = await fsck('--repair');
    assert.deepEqual([young.exitCode, young.found, young.removed], [0, [`orphan ${orphan}`], []]);
    const twoHoursAgo = Date.now() / 1000 - 7200;
    for await (const file of glob(path.join(store, '**'))) await utimes(file, twoHoursAgo, twoHoursAgo);
    const old = await fsck('--repair');
    assert.deepEqual([old.exitCode, old.removed], [0, [orphan]]);
    const last = await fsck();
    assert.deepEqual([last.found, last.live], [[], live]);
    // Both go on from where they were.
    assert.equal((await callCounter(platform.client, 'asleep')).count.memory, 5);
    assert.equal((await callCounter(platform.client, 'awake')).count.memory, 6);
  });

  test('wrong usage is told apart from damage', async () => {
    const command = [path.resolve('infra/fsck/main.ts'), '--grace-ms', 'soon'];
    const { exitCode, stderr } = await execa(process.execPath, command, { reject: false });
    assert.equal(exitCode, 2);
    assert.match(stderr, /whole number of milliseconds/);
  });
});
