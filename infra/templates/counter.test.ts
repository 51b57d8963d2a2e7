import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { WebSocket } from 'ws';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { toolchainPlace } from '../setup/asset-place.ts';
import { compileCounter } from './counter-image.ts';
import { startCounter } from './running-counter.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-counter-'));
const program = path.join(folder, 'counter');
before(
  () =>
    compileCounter(
      toolchainPlace(() => undefined),
      program,
    ),
  { timeout: 600_000 },
);
after(() => removeTree(folder, tmpdir()));

const options = { timeout: 60_000 };
const goCounter = { command: [program] } as const;
const nodeCounter = { command: [process.execPath, path.join(import.meta.dirname, 'node-counter/server.mjs')] } as const;

for (const [name, counter] of Object.entries({ counter: goCounter, 'node-counter': nodeCounter })) {
  test(
    `${name}: counts in memory and in a file; a new process has a new nonce and the old file`,
    options,
    async (t) => {
      const first = await startCounter(t, counter);
      await first.json('/');
      const reply = await first.json('/any/path');
      assert.deepEqual([reply['memory'], reply['file'], reply['path']], [2, 2, '/any/path']);
      assert.match(String(reply['nonce']), /^[0-9a-f]{32}$/);
      await first.kill();
      const second = await startCounter(t, { ...counter, folder: first.folder });
      const later = await second.json('/');
      assert.deepEqual([later['memory'], later['file']], [1, 3]);
      assert.notEqual(later['nonce'], reply['nonce']);
    },
  );

  test(`${name}: no call is lost among many at once`, options, async (t) => {
    const running = await startCounter(t, counter);
    const replies = await Promise.all(Array.from({ length: 100 }, () => running.json('/')));
    const counts = replies.map((reply) => Number(reply['file'])).sort((a, b) => a - b);
    assert.deepEqual(
      counts,
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
  });

  test(`${name}: a warm-up call answers as a counted one, and changes neither count`, options, async (t) => {
    const running = await startCounter(t, counter);
    const idle = await running.json('/warm-up');
    const counted = await running.json('/');
    const later = await running.json('/warm-up');
    assert.deepEqual(Object.keys(later), Object.keys(counted));
    assert.deepEqual(
      [idle, counted, later].map(({ memory, file }) => [memory, file]),
      [
        [0, 0],
        [1, 1],
        [1, 1],
      ],
    );
    assert.equal(later['nonce'], counted['nonce']);
    await Promise.all(Array.from({ length: 20 }, (_, call) => running.json(call % 2 === 0 ? '/' : '/warm-up')));
    const last = await running.json('/');
    assert.deepEqual([last['memory'], last['file']], [12, 12]);
  });

  test(`${name}: deletes, renames and overwrites files of its image, once and for all`, options, async (t) => {
    const running = await startCounter(t, counter);
    const shipped = await running.json('/files/check');
    assert.equal(shipped['delete-me'], 'delete-me as the image has it\n');
    assert.equal(shipped['renamed'], null);
    const changed = {
      'delete-me': null,
      'rename-me': null,
      renamed: 'rename-me as the image has it\n',
      'overwrite-me': 'overwritten by the actor\n',
      'keep-me': 'keep-me as the image has it\n',
    };
    for (const route of ['/files', '/files/check', '/files'])
      assert.deepEqual(await running.json(route), changed, route);
  });

  test(`${name}: health, identity, time and random numbers`, options, async (t) => {
    const running = await startCounter(t, counter);
    assert.deepEqual(await running.json('/healthz'), { ok: true });
    assert.equal((await fetch(`${running.address}/identity`)).status, 404);
    assert.ok(Math.abs(Number((await running.json('/time'))['unixMs']) - Date.now()) < 5000);
    const [one, other] = [await running.json('/random'), await running.json('/random')];
    for (const source of ['random', 'getrandom']) {
      assert.match(String(one[source]), /^[0-9a-f]{64}$/);
      assert.notEqual(one[source], other[source]);
    }
    assert.equal((await running.json('/'))['memory'], 1, 'none of these count as calls');
  });
}

test('counter: slow, stream and upload', options, async (t) => {
  const running = await startCounter(t, goCounter);
  const began = performance.now();
  assert.deepEqual(await running.json('/slow?ms=120'), { sleptMs: 120 });
  assert.ok(performance.now() - began >= 119);
  const stream = await fetch(`${running.address}/stream?ms=20&count=3`);
  const chunks: string[] = [];
  for await (const chunk of stream.body ?? []) chunks.push(Buffer.from(chunk as Uint8Array).toString());
  assert.equal(chunks.join(''), '0\n1\n2\n');
  assert.ok(chunks.length > 1, 'the lines came one by one');
  const body = randomBytes(3_000_000);
  const sha256 = createHash('sha256').update(body).digest('hex');
  assert.deepEqual(await running.json('/upload', { method: 'POST', body }), { bytes: body.length, sha256 });
});

test('counter: echoes WebSocket messages, text and binary, small and large', options, async (t) => {
  const running = await startCounter(t, goCounter);
  const socket = new WebSocket(`${running.address.replace('http', 'ws')}/ws`);
  await once(socket, 'open');
  for (const [message, isBinary] of [
    ['hello', false],
    [randomBytes(20_000), true],
  ] as const) {
    const echo = once(socket, 'message');
    socket.send(message);
    assert.deepEqual(await echo, [Buffer.from(message), isBinary]);
  }
  socket.close();
  await once(socket, 'close');
});

test('counter: dials, allocates and exits', options, async (t) => {
  const running = await startCounter(t, goCounter);
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  assert.deepEqual(await running.json(`/dial?address=127.0.0.1:${port}`), { connected: true });
  server.close();
  await once(server, 'close');
  const refused = await running.json(`/dial?address=127.0.0.1:${port}`);
  assert.equal(refused['connected'], false);
  assert.match(String(refused['error']), /refused/);
  assert.deepEqual(await running.json('/allocate?mib=8'), { mib: 8 });
  assert.equal((await fetch(`${running.address}/exit?code=7`)).status, 202);
  assert.equal(await running.exitCode, 7);
});

test('counter: a second one behind it is called along', options, async (t) => {
  const back = await startCounter(t, goCounter);
  const front = await startCounter(t, { ...goCounter, environment: { COUNTER_BACKEND: back.address } });
  await front.json('/');
  await front.json('/warm-up');
  const reply = await front.json('/');
  const inner = reply['back'] as Record<string, unknown>;
  assert.deepEqual([reply['memory'], reply['file'], inner['memory'], inner['file']], [2, 2, 2, 2]);
  assert.notEqual(reply['nonce'], inner['nonce']);
  await back.kill();
  assert.equal((await fetch(front.address)).status, 502);
});

test('counter: fails on request', options, async (t) => {
  const exiting = await execa(program, { env: { COUNTER_FAIL: 'exit' }, reject: false });
  assert.equal(exiting.exitCode, 3);
  assert.match(exiting.stderr, /COUNTER_FAIL=exit/);
  const hanging = spawn(program, { env: { COUNTER_FAIL: 'hang' }, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => hanging.kill('SIGKILL'));
  const [words] = (await once(hanging.stderr, 'data')) as [Buffer];
  assert.match(words.toString(), /COUNTER_FAIL=hang/);
  hanging.kill('SIGTERM');
  assert.deepEqual(await once(hanging, 'exit'), [0, null]);
});
