import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { createStoredToken } from '../access/stored-tokens.ts';
import { drawToken } from '../access/token-text.ts';
import { sampleMachine, writeSampleZygote } from '../assets/sample-zygote.ts';
import { stageZygote, zygoteObject } from '../assets/ship-zygote.ts';
import { zygoteKey } from '../assets/zygote-folder.ts';
import { newEncryptionKey } from '../encryption/key-ring.ts';
import { newDataKey, sealAlgorithm } from '../encryption/sealed-file.ts';
import { storeDataKey } from '../encryption/stored-keys.ts';
import { encryptedFormatVersion, memoryChain } from '../snapshot/manifest.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import {
  openSampleStore,
  putActor,
  putBytes,
  putTemplate,
  sampleRevision,
  type SampleStore,
} from '../snapshot/sample-log.ts';
import type { Finding } from './finding.ts';
import { isGarbage } from './garbage.ts';
import { inspectStore } from './inspect-store.ts';

const k1 = newEncryptionKey('k1', Buffer.alloc(32, 1));

suite('inspecting a store', () => {
  let sample: SampleStore;
  let scratchFolder: string;
  beforeEach(async () => {
    sample = await openSampleStore();
    scratchFolder = await mkdtemp(path.join(tmpdir(), 'dormouse-scratch-'));
  });
  afterEach(async () => {
    await sample[Symbol.asyncDispose]();
    await rm(scratchFolder, { recursive: true });
  });

  async function inspect(): Promise<Finding[]> {
    const findings: Finding[] = [];
    await inspectStore({ store: sample.store, scratchFolder, onFinding: (finding) => void findings.push(finding) });
    return findings;
  }
  const notLive = async (): Promise<string[]> =>
    (await inspect()).filter(({ verdict }) => verdict !== 'live').map(({ verdict, key }) => `${verdict} ${key}`);
  const file = (key: string): string => path.join(sample.folder, key);
  const age = async (key: string): Promise<void> => utimes(file(key), 0, 0);
  const garbage = async (): Promise<string[]> =>
    (await inspect()).filter((finding) => isGarbage(finding, 1000)).map(({ key }) => key);

  /** Damages, expects exactly these findings besides live ones, undoes it, expects none. */
  async function expectDamage(expected: string[], damage: () => Promise<() => Promise<void>>): Promise<void> {
    const undo = await damage();
    assert.deepEqual(await notLive(), expected);
    await undo();
    assert.deepEqual(await notLive(), []);
  }
  const away = (key: string) => async () => {
    await rename(file(key), file('.away'));
    return () => rename(file('.away'), file(key));
  };
  const changed = (key: string, change: (bytes: Buffer) => Buffer) => async () => {
    const before = await readFile(file(key));
    await writeFile(file(key), change(Buffer.from(before)));
    return () => writeFile(file(key), before);
  };
  const flip = (bytes: Buffer): Buffer => (bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0), bytes);

  test('everything that counts is live, and each damage is named', async () => {
    const { store } = sample;
    await putTemplate(store);
    const actor = await putActor(store, 'a');
    const first = await actor.commit('1.1');
    const second = await actor.commit('1.2');
    await actor.fence('1.2');
    const { parts } = second;
    assert.deepEqual(await notLive(), []);

    await expectDamage([`corrupt ${parts.memory.key}`], changed(parts.memory.key, flip));
    await expectDamage(
      [`corrupt ${parts.device.key}`],
      changed(parts.device.key, (bytes) => bytes.subarray(1)),
    );
    await expectDamage([`missing ${first.parts.device.key}`], away(first.parts.device.key));
    const entry = objectKeys.logEntry('a', 3);
    // What the unreadable entry names looks like an orphan, but is held.
    const unnamed = [`orphan ${parts.device.key}`, `orphan ${parts.memory.key}`];
    await expectDamage(
      [`corrupt ${entry}`, ...unnamed],
      changed(entry, (bytes) => bytes.subarray(1)),
    );
    const golden = objectKeys.goldenPart('counter', sampleRevision, 'first', 'memory');
    await expectDamage([`corrupt ${golden}`], changed(golden, flip));
    await expectDamage([`missing ${golden}`], away(golden));
    const descriptor = objectKeys.template('counter', sampleRevision);
    const goldens = ['device', 'memory'].map(
      (part) => `orphan ${descriptor.replace('template.json', `golden/first/${part}`)}`,
    );
    await expectDamage(
      [`corrupt ${descriptor}`, ...goldens],
      changed(descriptor, (bytes) => bytes.subarray(1)),
    );
    await expectDamage([`missing ${descriptor}`, ...goldens], away(descriptor));
  });

  test('damage never turns what it hides into garbage', async () => {
    const { store } = sample;
    await putTemplate(store);
    const actor = await putActor(store, 'a');
    const { parts } = await actor.commit('1.1');
    await actor.fence('1.1');
    const golden = objectKeys.goldenPart('counter', sampleRevision, 'first', 'memory');
    for (const key of [parts.memory.key, parts.device.key, golden]) await age(key);
    const damaged = [
      changed(objectKeys.logEntry('a', 2), () => Buffer.from('{')),
      away(objectKeys.logEntry('a', 1)),
      away(objectKeys.template('counter', sampleRevision)),
      changed(objectKeys.template('counter', sampleRevision), () => Buffer.from('{')),
    ];
    for (const damage of damaged) {
      const undo = await damage();
      assert.ok((await notLive()).some((line) => line.startsWith('missing') || line.startsWith('corrupt')));
      assert.deepEqual(await garbage(), []);
      await undo();
    }
  });

  test('an attempt is garbage when it is old and its activation can commit no more', async () => {
    const { store } = sample;
    await putTemplate(store);
    const actor = await putActor(store, 'a');
    await actor.commit('1.5', 100);
    const attempt = (epoch: string, number: number) => objectKeys.blob('a', actor.uid, epoch, number, 'memory');
    const over = [attempt('1.4', 900), attempt('1.5', 99)];
    const open = [attempt('1.5', 101), attempt('1.6', 1), attempt('2.1', 1)];
    for (const key of [...over, ...open]) await putBytes(store, key, 'left behind');
    assert.deepEqual(await garbage(), [], 'nothing young is');
    for (const key of [...over, ...open]) await age(key);
    assert.deepEqual((await garbage()).sort(), over);
    await actor.fence('2.0');
    assert.deepEqual((await garbage()).sort(), [...over, attempt('1.5', 101), attempt('1.6', 1)].sort());
  });

  test('what opens an object lives and dies with it', async () => {
    const { store } = sample;
    await putTemplate(store);
    const actor = await putActor(store, 'a');
    const { parts } = await actor.commit('1.5');
    const attempt = (epoch: string): string => objectKeys.blob('a', actor.uid, epoch, 1, 'memory');
    const [lost, open] = [attempt('1.4'), attempt('1.6')];
    const golden = objectKeys.goldenPart('counter', sampleRevision, 'first', 'memory');
    for (const key of [parts.memory.key, golden, lost, open]) {
      await storeDataKey(store, k1, key, newDataKey());
      await age(`${key}.keys/k1`);
    }
    assert.deepEqual(await garbage(), [`${lost}.keys/k1`]);
    assert.deepEqual(await notLive(), [`orphan ${lost}.keys/k1`, `orphan ${open}.keys/k1`]);
  });

  test('an encrypted object without any key is lost, and one whose key is damaged too; its keys are never garbage', async () => {
    const { store } = sample;
    await putTemplate(store);
    const actor = await putActor(store, 'a');
    const plain = await actor.commit('1.1');
    const put = (part: 'memory' | 'device') =>
      putBytes(store, objectKeys.blob('a', actor.uid, '1.2', 1, part), `sealed ${part}`);
    const [memory, device] = [await put('memory'), await put('device')];
    for (const { key } of [memory, device]) await storeDataKey(store, k1, key, newDataKey());
    const encryption = { algorithm: sealAlgorithm, keyId: 'k1' };
    const parts = { memory: { ...memory, encryption }, device: { ...device, encryption } };
    const manifest = { ...plain, formatVersion: encryptedFormatVersion, parts };
    await actor.append({ kind: 'snapshot', generation: 2, epoch: '1.2', node: 'node-1', manifest });
    await actor.fence('1.2');
    const wrap = `${memory.key}.keys/k1`;
    for (const key of [wrap, memory.key, `${device.key}.keys/k1`]) await age(key);
    assert.deepEqual(await notLive(), []);
    await expectDamage([`missing ${memory.key}.keys/`], away(wrap));
    await expectDamage(
      [`corrupt ${wrap}`],
      changed(wrap, (bytes) => bytes.subarray(1)),
    );
    await expectDamage(
      [`corrupt ${wrap}`],
      changed(wrap, (bytes) => Buffer.from(bytes.toString().replace('"keyId":"k1"', '"keyId":"k2"'))),
    );
    await expectDamage([`missing ${memory.key}`], away(memory.key));
    await storeDataKey(store, { ...k1, id: 'k2' }, memory.key, newDataKey()); // a rotation was cut off
    await age(`${memory.key}.keys/k2`);
    assert.deepEqual(await notLive(), []);
    await expectDamage([], away(wrap));
    const undo = await away(memory.key)();
    assert.deepEqual(await garbage(), [], 'not even while its object is missing');
    await undo();
  });

  test('of a deleted actor only the tombstone lives, and a new life shares nothing', async () => {
    const { store } = sample;
    await putTemplate(store);
    const gone = await putActor(store, 'a');
    const { parts } = await gone.commit('1.1');
    await gone.append({ kind: 'deleted' });
    const left = [objectKeys.logEntry('a', 1), objectKeys.logEntry('a', 2), parts.device.key, parts.memory.key];
    assert.deepEqual((await notLive()).sort(), left.map((key) => `orphan ${key}`).sort());
    const again = await putActor(store, 'a', gone.seq);
    await again.commit('1.2');
    const all = [...left, objectKeys.logEntry('a', 3)];
    assert.deepEqual((await notLive()).sort(), all.map((key) => `orphan ${key}`).sort());
    for (const key of all) await age(key);
    for (const key of await garbage()) await store.delete(key);
    assert.deepEqual(await notLive(), []);
  });

  test('what an actor wrote lives as long as the actor', async () => {
    const { store } = sample;
    await putTemplate(store);
    const actor = await putActor(store, 'a');
    const own = objectKeys.actorLog('a', actor.uid, '1.1', 1);
    const former = objectKeys.actorLog('a', '01234567-89ab-4cde-8f01-23456789abcd', '1.1', 1);
    const stranger = `${objectKeys.actorLogs('a', actor.uid)}stranger`;
    const sealed = objectKeys.actorLog('a', actor.uid, '1.1', 2);
    const [ofSealed, ofNone] = [sealed, objectKeys.actorLog('a', actor.uid, '1.1', 3)].map((key) =>
      objectKeys.wrappedKey(key, 'k1'),
    ) as [string, string];
    for (const key of [own, former, stranger, sealed]) await putBytes(store, key, 'x');
    const key = newEncryptionKey('k1', randomBytes(32));
    await storeDataKey(store, key, sealed, newDataKey());
    await storeDataKey(store, key, objectKeys.actorLog('a', actor.uid, '1.1', 3), newDataKey());
    for (const old of [own, former, stranger, sealed, ofSealed, ofNone]) await age(old);
    assert.deepEqual((await garbage()).sort(), [former, stranger, ofNone].sort());
    await actor.append({ kind: 'deleted' });
    const gone = await garbage();
    for (const old of [own, sealed, ofSealed]) assert.ok(gone.includes(old), old);
  });

  test('a preparation that came second, an unfinished asset set and a trial are garbage; strangers are not', async () => {
    const { store } = sample;
    await putTemplate(store);
    const keys = [
      `assets/${'a'.repeat(64)}/bin/qemu`,
      `check/123`,
      objectKeys.goldenPart('counter', sampleRevision, 'second', 'memory'),
      objectKeys.goldenPart('unfinished', sampleRevision, 'first', 'memory'),
    ];
    for (const key of [...keys, 'backup/of/mine', 'incarnations/000000001.json', 'nodes/node-1.json']) {
      await putBytes(store, key, 'x');
      await age(key);
    }
    assert.deepEqual((await garbage()).sort(), keys);
    assert.ok((await notLive()).includes('foreign backup/of/mine'));
  });

  test('a part that a later generation lies over is alive without an entry of its own, and its damage is told once', async () => {
    const { store } = sample;
    await putTemplate(store);
    const actor = await putActor(store, 'a');
    const whole = await actor.commit('1.1');
    const second = await actor.commit('1.2', 1, memoryChain(whole));
    const third = await actor.commit('1.3', 1, memoryChain(second));
    const { key } = whole.parts.memory;
    assert.deepEqual(await notLive(), []);
    await expectDamage([`corrupt ${key}`], changed(key, flip));
    await expectDamage([`missing ${key}`], away(key));
    for (const seq of [2, 3]) await store.delete(objectKeys.logEntry('a', seq));
    const devices = [whole, second].map(({ parts }) => parts.device.key);
    for (const old of [key, second.parts.memory.key, ...devices]) await age(old);
    assert.deepEqual(await garbage(), devices, 'what the third does not lie over');
    for (const device of devices) await store.delete(device);
    await expectDamage([`corrupt ${key}`], changed(key, flip));
    assert.equal(third.below?.length, 2);
  });

  test('a staged zygote is alive; parts of one that lost or was never finished are garbage, and damage is told', async () => {
    const { store } = sample;
    const machine = sampleMachine('a'.repeat(64));
    const machineFolder = path.join(scratchFolder, 'zygotes');
    const record = await writeSampleZygote(machineFolder, machine, 'staged');
    await stageZygote(store, machineFolder, machine);
    const key = (name: string): string => zygoteObject(zygoteKey(machine), name);
    assert.deepEqual(await notLive(), []);
    const orphans = [key('c'.repeat(64)), `zygotes/${'d'.repeat(64)}/${'e'.repeat(64)}`];
    for (const orphan of orphans) {
      await putBytes(store, orphan, 'x');
      await age(orphan);
    }
    assert.deepEqual((await garbage()).sort(), orphans.toSorted());
    for (const orphan of orphans) await store.delete(orphan);
    const parts = [record.memory.sha256, record.device.sha256].map(key);
    for (const part of parts) {
      await expectDamage([`corrupt ${part}`], changed(part, flip));
      await expectDamage([`missing ${part}`], away(part));
    }
    await expectDamage(
      [`corrupt ${key('zygote.json')}`, ...parts.toSorted().map((part) => `orphan ${part}`)],
      changed(key('zygote.json'), (bytes) => bytes.subarray(1)),
    );
  });

  test('a token is alive, and a record of one that cannot be read is damage, never garbage', async () => {
    const { store } = sample;
    const { id, secretSha256 } = drawToken();
    const createdAt = new Date().toISOString();
    await createStoredToken(store, { formatVersion: 1, id, name: 'ci', scopes: ['read'], createdAt, secretSha256 });
    const key = objectKeys.token(id);
    await expectDamage(
      [`corrupt ${key}`],
      changed(key, (bytes) => bytes.subarray(1)),
    );
    await expectDamage(
      [`corrupt ${key}`],
      changed(key, (bytes) => Buffer.from(bytes.toString().replace(id, '0'.repeat(16)))),
    );
    await age(key);
    assert.deepEqual(await garbage(), []);
  });

  test('an entry that names another actor’s object is corrupt', async () => {
    const { store } = sample;
    await putTemplate(store);
    const victim = await putActor(store, 'victim');
    const manifest = await victim.commit('1.1');
    const thief = await putActor(store, 'thief');
    await thief.append({ kind: 'snapshot', generation: 1, epoch: '1.2', node: 'node-1', manifest });
    const key = objectKeys.logEntry('thief', 2);
    assert.deepEqual([...new Set(await notLive())], [`corrupt ${key}`]);
  });
});
