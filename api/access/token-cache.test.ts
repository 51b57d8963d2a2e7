import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createStoredToken, revokeStoredToken, type StoredToken } from '../../shared/access/stored-tokens.ts';
import { drawToken } from '../../shared/access/token-text.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import type { Change } from '../../shared/registry/records.ts';
import { until } from '../stand-in/fixture.ts';
import { createTokenCache } from './token-cache.ts';

/** `usual`: nothing becomes old while a test runs; `atOnce`: everything is old at once. */
const usual = { freshMs: 600_000, oldMs: 600_000, staleMs: 600_000, readMs: 10_000 };
const atOnce = { ...usual, freshMs: 0, oldMs: 0 };

suite('kept tokens', () => {
  let folder: string;
  let files: ObjectStore;
  let store: ObjectStore;
  let reads: number;
  let failing: 'at once' | 'slowly' | undefined;
  let token: StoredToken;
  /** What a read has found is held back until then. */
  let held: Promise<undefined> | undefined;
  let announce: (change: Change) => void;
  const registry = {
    watch(listener: (change: Change) => void) {
      announce = listener;
      return { [Symbol.dispose]: () => undefined };
    },
  };

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-tokens-'));
    files = await openObjectStore(pathToFileURL(folder).href);
    reads = 0;
    failing = undefined;
    held = undefined;
    store = {
      ...files,
      async get(key, options) {
        if (failing === 'at once') throw new DormouseError('store-unavailable', 'it is away');
        if (failing === 'slowly') {
          const signal = options?.signal;
          await new Promise((_resolve, reject) =>
            signal?.addEventListener('abort', () => reject(signal.reason as Error)),
          );
        }
        const bytes = await files.get(key, options);
        reads++;
        await held;
        return bytes;
      },
    };
    const { id, secretSha256 } = drawToken();
    token = { formatVersion: 1, id, name: 'ci', scopes: ['read'], createdAt: new Date().toISOString(), secretSha256 };
    await createStoredToken(files, token);
  });
  afterEach(async () => {
    await files.close();
    await rm(folder, { recursive: true });
  });

  test('many calls read once, and those that come together wait for one read', async () => {
    using cache = createTokenCache(store, registry, usual);
    const found = await Promise.all([1, 2, 3].map(async () => cache.get(token.id)));
    assert.deepEqual(found, [token, token, token]);
    assert.deepEqual(cache.get(token.id), token, 'without waiting');
    assert.equal(reads, 1);
  });

  test('an announced revocation counts at once, also for a read that began before it', async () => {
    using cache = createTokenCache(store, registry, usual);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    held = promise;
    const early = cache.get(token.id);
    await until(() => reads === 1);
    await revokeStoredToken(files, token);
    announce({ kind: 'token', id: token.id, state: 'revoked' });
    held = undefined;
    resolve(undefined);
    assert.equal((await early)?.revokedAt, undefined, 'what it found is what there was');
    assert.ok((await cache.get(token.id))?.revokedAt);
    assert.equal((await cache.get(token.id))?.secretSha256, undefined);
  });

  test('a revocation that nobody heard of counts when the record is old', async () => {
    using cache = createTokenCache(store, registry, atOnce);
    assert.equal((await cache.get(token.id))?.revokedAt, undefined);
    await revokeStoredToken(files, token);
    assert.ok((await cache.get(token.id))?.revokedAt);
  });

  test('an ageing record is good for the call at hand and read again beside it', async () => {
    using cache = createTokenCache(store, registry, { ...usual, freshMs: 0 });
    await cache.get(token.id);
    await revokeStoredToken(files, token);
    assert.deepEqual(cache.get(token.id), token);
    await until(async () => (await cache.get(token.id))?.revokedAt !== undefined);
  });

  test('while the store is away what was read lately is good, and nothing else', async () => {
    using lenient = createTokenCache(store, registry, atOnce);
    using strict = createTokenCache(store, registry, { ...atOnce, staleMs: 0 });
    await Promise.all([lenient.get(token.id), strict.get(token.id)]);
    failing = 'at once';
    assert.deepEqual(await lenient.get(token.id), token);
    await assert.rejects(async () => strict.get(token.id), { code: 'store-unavailable' });
    await assert.rejects(async () => lenient.get(drawToken().id), { code: 'store-unavailable' });
    failing = undefined;
    assert.deepEqual(await strict.get(token.id), token);
  });

  test('a store that hangs holds nobody up for long, and those who come next not at all', async () => {
    using cache = createTokenCache(store, registry, { ...atOnce, readMs: 300 });
    await cache.get(token.id);
    failing = 'slowly';
    assert.deepEqual(await cache.get(token.id), token);
    assert.ok(!(cache.get(token.id) instanceof Promise), 'it is not waited for again');
    await assert.rejects(async () => cache.get(drawToken().id), { code: 'store-unavailable' });
    failing = undefined;
    await revokeStoredToken(files, token);
    await until(async () => (await cache.get(token.id))?.revokedAt !== undefined);
  });

  test('whoever guesses ids is slowed down, and disturbs no token in use', async () => {
    using cache = createTokenCache(store, registry, usual);
    await cache.get(token.id);
    const guess = async (): Promise<unknown> => cache.get(drawToken().id);
    const guesses = await Promise.allSettled(Array.from({ length: 300 }, guess));
    const refused = guesses.filter((each) => each.status === 'rejected');
    assert.ok(refused.length > 0 && refused.every(({ reason }) => (reason as DormouseError).code === 'rate-limited'));
    assert.ok(refused.length < 300, 'a few new tokens are looked up even then');
    assert.deepEqual(cache.get(token.id), token);
  });
});
