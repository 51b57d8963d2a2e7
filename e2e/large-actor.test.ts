/**
 * An actor whose memory has moved far from its golden's: each suspend ships what changed since the last one, on any node,
 * encrypted, and what is left in the store is what the newest generation needs.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';
import { listSequences, readEntry } from '../shared/snapshot/actor-log.ts';
import { neededParts } from '../shared/snapshot/manifest.ts';
import { objectKeys } from '../shared/snapshot/object-keys.ts';
import { openObjectStore } from '../shared/object-store/open.ts';
import { until } from '../shared/process/until.ts';
import { callCounter, getJson, otherNode, resumeOn, suspend } from './counter-calls.ts';
import { startPlatform } from './platform.ts';

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
