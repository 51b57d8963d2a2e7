import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { encodeWake, openWakePort } from './wake-port.ts';

const limit = (): AbortSignal => AbortSignal.timeout(10_000);

test('the message is what the guest parses', () => {
  const message = encodeWake(1_700_000_000_123, Buffer.from('entropy!'), '{"id":"ä"}');
  assert.deepEqual([message.readUInt32LE(0), message.readUInt8(4)], [message.length - 4, 1]);
  assert.equal(message.readBigInt64LE(5), 1_700_000_000_123_000_000n);
  assert.equal(message.subarray(14, 14 + message.readUInt8(13)).toString(), 'entropy!');
  assert.equal(message.subarray(22).toString(), '{"id":"ä"}');
});

suite('a port', () => {
  let folder: string;
  let server: Server;
  let socketPath: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dm-wake-'));
    socketPath = path.join(folder, 'wake.sock');
    server = createServer().listen(socketPath);
    await once(server, 'listening');
  });
  after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  const connected = async () => {
    const accepted = once(server, 'connection');
    const port = await openWakePort(socketPath, limit());
    const [guest] = (await accepted) as [Socket];
    return { port, guest };
  };

  test('waits for the byte that says it was applied, again and again', async () => {
    const { port, guest } = await connected();
    for (const id of ['first', 'second']) {
      const woken = port.wake({ id }, limit());
      const [message] = (await once(guest, 'data')) as [Buffer];
      assert.match(message.toString('latin1'), new RegExp(`{"id":"${id}"}$`));
      guest.write(Buffer.of(0));
      await woken;
    }
    const quiet = port.quiesce(limit());
    assert.deepEqual((await once(guest, 'data'))[0], Buffer.of(1, 0, 0, 0, 2));
    guest.write(Buffer.of(0));
    await quiet;
    port[Symbol.dispose]();
    await once(guest, 'close');
  });

  test('a refusal, a guest that ends, silence, and a port that is not there', async () => {
    const unreachable = (words: RegExp) => ({ code: 'guest-unreachable', message: words });
    const refused = await connected();
    refused.guest.once('data', () => refused.guest.write(Buffer.of(1)));
    await assert.rejects(refused.port.wake({}, limit()), unreachable(/could not take on/));
    await assert.rejects(refused.port.wake({}, limit()), unreachable(/closed/));
    const silent = await connected();
    await assert.rejects(silent.port.wake({}, AbortSignal.timeout(10)), unreachable(/in time/));
    const ending = await connected();
    ending.guest.once('data', () => ending.guest.end());
    await assert.rejects(ending.port.wake({}, limit()), unreachable(/closed/));
    await assert.rejects(openWakePort(`${socketPath}.absent`, limit()), unreachable(/ENOENT/));
  });
});
