/**
 * An actor whose memory has moved far from its golden's: each suspend ships what changed since the last one, on any node,
 * encrypted, and what is left in the store is what the newest generation needs.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';
import { listSequences, readEntry } from '../shared/snapshot/actor-log.ts';
import { neededParts } from '../shared/snapshot/manifest.ts';
import { objectKeys } from '../shared/snapshot/object-keys.ts';
import { openObjectStore } from '../shared/object-store/open.ts';
import { until } from '../shared/process/until.ts';
import { callCounter, getJson, otherNode, resumeOn, suspend } from './counter-calls.ts';
import { startPlatform, type Platform } from './platform.ts';

const mebibyte = 1024 * 1024;
const largeMiB = 48;

test('a large actor ships what changed since its last generation, and wakes whole on either node', async () => {
  const keys = `first:${randomBytes(32).toString('base64')}`;
  await using platform = await startPlatform({ environment: { DORMOUSE_ENCRYPTION_KEYS: keys } });
  const { client, home } = platform;
  const url = `file://${path.join(home, 'store')}`;
  const store = await openObjectStore(url);
  await platform.template('counter', { retainGenerations: 1 });
  await client.actors.create({ id: 'large', template: 'counter' });
  let count = 0;
  const call = async (): Promise<void> => assert.equal((await callCounter(client, 'large')).count.memory, ++count);
  /** Suspends, and tells how large the generation's own part is and over how many it lies. */
  const generation = async (): Promise<{ bytes: number; below: number }> => {
    await suspend(client, 'large');
    const [newest = 0] = await listSequences(store, 'large'); // older entries are being removed
    const entry = await readEntry(store, 'large', newest);
    assert.ok(entry.kind === 'snapshot');
    const { manifest, uid } = entry;
    const needed = neededParts(manifest).map(({ key }) => key);
    await until(
      async () => {
        const objects = await Array.fromAsync(store.list(objectKeys.actorBlobs('large', uid)));
        const parts = objects.map(({ key }) => key).filter((key) => key.includes('/blobs/') && !key.includes('.keys/')); // they go with their part
        return JSON.stringify(parts) === JSON.stringify(needed.sort());
      },
      { signal: AbortSignal.timeout(30_000), everyMs: 50, what: 'parts that nothing needs to be removed' },
    );
    return { bytes: manifest.parts.memory.sizeBytes, below: manifest.below?.length ?? 0 };
  };

  await call();
  await getJson(client, 'large', `/allocate?mib=${largeMiB}`);
  const whole = await generation();
  assert.ok(whole.below === 0 && whole.bytes > largeMiB * mebibyte, JSON.stringify(whole));
  for (const below of [1, 2, 3]) {
    await resumeOn(client, 'large', otherNode((await client.actors.get('large')).lastNode));
    await call();
    const next = await generation();
    assert.equal(next.below, below);
    assert.ok(next.bytes * 4 < whole.bytes, `${next.bytes} bytes`);
  }
  await call();
  const anew = await generation();
  assert.ok(anew.below === 0 && anew.bytes > largeMiB * mebibyte, 'a full chain is begun anew');

  await call();
  await client.actors.pause('large', { waitMs: 60_000 });
  await call();
  assert.equal((await generation()).below, 0, 'what lay on one node only is nothing to build on');
  await call();
  assert.equal((await generation()).below, 1);
  await call();

  const fsck = [path.resolve('infra/fsck/main.ts'), '--store', url];
  const { exitCode, stdout } = await execa(process.execPath, fsck, { reject: false, timeout: 60_000 });
  assert.equal(exitCode, 0, stdout);
});

/** More than what is captured in the worker's own thread (worker/sandbox/microvm/memory/guest-memory.ts). */
const veryLargeMiB = 160;

test('a very large actor is captured by a process behind all others, and wakes whole on the other node', async () => {
  await using platform = await startPlatform();
  const { client, home } = platform;
  await platform.template('counter', { memoryMiB: 384 });
  await client.actors.create({ id: 'vast', template: 'counter' });
  await callCounter(client, 'vast');
  await getJson(client, 'vast', `/allocate?mib=${veryLargeMiB}`);
  await Promise.all([suspend(client, 'vast'), sawNiceCapture(platform)]);
  const { sizes, lastNode } = await client.actors.get('vast');
  assert.ok((sizes?.shippedBytes ?? 0) > veryLargeMiB * mebibyte, JSON.stringify(sizes));
  await resumeOn(client, 'vast', otherNode(lastNode));
  assert.equal((await callCounter(client, 'vast')).count.memory, 2);
  const fsck = [path.resolve('infra/fsck/main.ts'), '--store', `file://${path.join(home, 'store')}`];
  const { exitCode, stdout } = await execa(process.execPath, fsck, { reject: false, timeout: 60_000 });
  assert.equal(exitCode, 0, stdout);
});

/** Resolves when a capture process of one of the workers has stepped back behind all others. */
async function sawNiceCapture({ stack }: Platform): Promise<void> {
  const workers = [...stack.processes].filter(([name]) => stack.nodes.includes(name)).map(([, { pid }]) => pid ?? 0);
  const childrenOf = async (pid: number): Promise<number[]> => {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  };
  const isNiceCapture = async (pid: number): Promise<boolean> => {
    try {
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8');
      return words.includes('capture-program.ts') && getPriority(pid) > 0;
    } catch {
      return false; // it has just ended
    }
  };
  await until(
    async () => {
      const children = (await Promise.all(workers.map(childrenOf))).flat();
      return (await Promise.all(children.map(isNiceCapture))).includes(true);
    },
    { signal: AbortSignal.timeout(60_000), everyMs: 5, what: 'a capture process' },
  );
}
