import assert from 'node:assert/strict';
import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { glob } from 'node:fs/promises';
import type { DormouseApiError } from '../sdk/api-error.ts';
import { callCounter, callTimes, resumeOn, suspend } from './counter-calls.ts';
import { processesBelow } from './chaos/faults/processes.ts';
import { isInWaiting } from './vm-states.ts';
import { startPlatform, type Platform } from './platform.ts';

suite('damage', () => {
  let platform: Platform;
  before(async () => {
    // Without a cache, so that a wake where the actor slept reads what was damaged.
    platform = await startPlatform({ environment: { DORMOUSE_CACHE_MIB: '0' } });
    await platform.template('counter');
  });
  after(() => platform[Symbol.asyncDispose]());

  /** Damages, expects a failed resume with the code, undoes it, expects the last generation to go on. */
  async function expectFailure(
    actor: string,
    code: string,
    damage: () => Promise<() => Promise<void>>,
  ): Promise<DormouseApiError> {
    const { client } = platform;
    await client.actors.create({ id: actor, template: 'counter' });
    await resumeOn(client, actor, 'node-1');
    await callTimes(client, actor, 3);
    await suspend(client, actor);
    const undo = await damage();

    const error = await client
      .actor(actor)
      .fetch('/')
      .then(
        () => assert.fail('the damaged actor answered'),
        (cause: unknown) => cause as DormouseApiError,
      );
    assert.equal(error.code, code, error.message);
    const { state, lastError, generation } = await client.actors.get(actor);
    assert.deepEqual([state, lastError?.code, generation], ['failed', code, 1]);
    await assert.rejects(
      client.actor(actor).fetch('/'),
      { code: 'actor-failed' },
      'a failed actor is not tried on every call',
    );
    assert.match((await client.actors.explain(actor)).reason, /resume failed/);

    await undo();
    await resumeOn(client, actor, 'node-1');
    const { count } = await callCounter(client, actor);
    assert.deepEqual([count.memory, count.file], [4, 4], 'the last good generation goes on');
    await suspend(client, actor);
    return error;
  }

  const partOf = (actor: string, part: string): Promise<string> =>
    onlyMatch(path.join(platform.home, 'store', 'actors', actor, '*', 'blobs', '*', part));

  test('a flipped byte in a snapshot object', async () => {
    await expectFailure('flipped', 'snapshot-corrupt', async () => {
      const file = await partOf('flipped', 'memory');
      const bytes = await readFile(file);
      const at = Math.floor(bytes.length / 2);
      const flip = (): Promise<void> => {
        bytes[at] = (bytes[at] ?? 0) ^ 0x01;
        return writeFile(file, bytes);
      };
      await flip();
      return flip;
    });
  });

  test('a missing snapshot object', async () => {
    const error = await expectFailure('missing', 'snapshot-missing', async () => {
      const file = await partOf('missing', 'device');
      await rename(file, `${file}.away`);
      return () => rename(`${file}.away`, file);
    });
    assert.match(error.message, /actors\/missing\/.*\/device/, 'the message names the object');
  });

  test('a changed lower on the node', async () => {
    // Both nodes, because the call that finds the damage may be placed on either.
    const changed = async (): Promise<() => Promise<void>> => {
      const pattern = path.join(
        platform.home,
        'nodes',
        '*',
        'images',
        '**',
        'var',
        'lib',
        'counter',
        'lower',
        'keep-me',
      );
      const files = await Array.fromAsync(glob(pattern));
      assert.ok(files.length > 0, `no lower below ${pattern}`);
      const originals = await Promise.all(files.map((file) => readFile(file)));
      await Promise.all(files.map((file) => writeFile(file, 'changed behind the platform’s back\n')));
      return async () => {
        await Promise.all(files.map((file, index) => writeFile(file, originals[index] ?? '')));
      };
    };
    // An actor on each node first, so that each has unpacked the image.
    await platform.client.actors.create({ id: 'visitor', template: 'counter' });
    await resumeOn(platform.client, 'visitor', 'node-2');
    const error = await expectFailure('lower', 'lower-mismatch', changed);
    assert.match(error.message, /image .* on this node has changed/);
    assert.match(JSON.stringify(error.details), /keep-me/, 'the error names what differs');
  });

  test('a suspend that cannot ship: the actor runs on, and the next suspend works', async () => {
    const { client } = platform;
    await client.actors.create({ id: 'stranded', template: 'counter' });
    await callTimes(client, 'stranded', 2);
    const { uid } = (await (await client.actor('stranded').fetch('/identity')).json()) as { uid: string };
    const inside = async (): Promise<number> =>
      Number(await (await client.actor('stranded').files.get('/var/lib/counter/count')).response.text());
    assert.equal(await inside(), 2); // the guest's agent has a connection that a suspend ends
    // A file where the store needs a folder: everything else of the store works.
    const obstacle = path.join(platform.home, 'store', 'actors', 'stranded', uid);
    await writeFile(obstacle, '');
    const operation = await client.actors.suspend('stranded', { waitMs: 60_000 }).catch((error: unknown) => error);
    assert.ok(operation instanceof Error, 'the suspend was reported as done');
    const { state, generation, lastError } = await client.actors.get('stranded');
    assert.deepEqual([state, generation], ['running', 0]);
    assert.match(lastError?.code ?? '', /^store-/);
    assert.equal((await callCounter(client, 'stranded')).count.memory, 3, 'it runs on');
    assert.equal(await inside(), 3, 'and its agent is reached as before');

    await unlink(obstacle);
    await suspend(client, 'stranded');
    assert.equal((await callCounter(client, 'stranded')).count.memory, 4);
  });

  test('a VM that dies falls back to its last generation and says why', async () => {
    const { client } = platform;
    await client.actors.create({ id: 'mortal', template: 'counter' });
    await callTimes(client, 'mortal', 2);
    await suspend(client, 'mortal');
    await callTimes(client, 'mortal', 2);
    // The program ends, so its container does, and with it the VM.
    await client
      .actor('mortal')
      .fetch('/exit?code=3')
      .catch(() => undefined);
    await client.actors.wait('mortal', 'suspended', { timeoutMs: 30_000 });
    const { lastError, generation } = await client.actors.get('mortal');
    assert.equal(generation, 1);
    assert.match(lastError?.message ?? '', /exited with 3/, 'the guest’s own words');
    assert.equal((await callCounter(client, 'mortal')).count.memory, 3, 'it goes on from the last generation');
  });

  test('a file system daemon that dies takes its VM with it, and says why', async () => {
    const { client } = platform;
    await client.actors.create({ id: 'orphan', template: 'counter' });
    await callTimes(client, 'orphan', 2);
    await suspend(client, 'orphan');
    const others = new Set((await daemons()).map(({ pid }) => pid));
    await resumeOn(client, 'orphan', 'node-1');
    await callTimes(client, 'orphan', 2);
    const [own] = (await daemons()).filter(({ pid }) => !others.has(pid));
    assert.ok(own, 'its daemon');
    process.kill(own.pid, 'SIGKILL');
    await client.actors.wait('orphan', 'suspended', { timeoutMs: 30_000 });
    assert.match((await client.actors.get('orphan')).lastError?.message ?? '', /file system daemon ended/);
    assert.equal((await callCounter(client, 'orphan')).count.memory, 3, 'it goes on from the last generation');
  });

  const daemons = async () =>
    (await processesBelow(platform.home)).filter(({ name }) => /\/virtiofsd /.test(name) && !isInWaiting(name));
});

async function onlyMatch(pattern: string): Promise<string> {
  const found = await Array.fromAsync(glob(pattern));
  assert.equal(found.length, 1, `${pattern}: ${found.join(', ')}`);
  return found[0] ?? '';
}
