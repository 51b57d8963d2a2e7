import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { WebSocket } from 'ws';
import { newEncryptionKey } from '../../shared/encryption/key-ring.ts';
import type { LogLine } from '../../shared/logs/line.ts';
import { encodeLines, putLines } from '../../shared/logs/stored.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import { startFixture, until, type Fixture } from '../stand-in/fixture.ts';

const line = (sequence: number, text: string): LogLine => ({
  ...{ sequence: BigInt(sequence), unixNanos: BigInt(sequence) * 1_000_000_000n, container: 'main' },
  ...{ isError: false, text },
});

suite('inside an actor, as the api sees it', () => {
  let api: Fixture;
  before(async () => {
    api = await startFixture((_request, response) => response.end());
  });
  after(() => api[Symbol.asyncDispose]());

  const exec = (id: string, body: object, headers = {}) => api.call('POST', `/v1/actors/${id}/exec`, { body, headers });
  const resumes = (): number => api.node.jobs.filter((kind) => kind === 'resume').length;

  test('a program wakes its actor, once; its outputs and exit code come back', async () => {
    await api.sleeping('runner');
    const asleep = await exec('runner', { command: 'echo' }, { 'dormouse-wake': 'never' });
    assert.deepEqual([asleep.status, asleep.body['code']], [409, 'actor-asleep']);
    const before = resumes();
    const request = { command: 'echo', args: ['a'], stdin: 'hello', cwd: '/srv' };
    const answers = await Promise.all([exec('runner', request), exec('runner', request)]);
    const expected = { exitCode: 3, stdout: 'hello', stderr: 'echo a /srv', truncated: false };
    for (const { body } of answers) assert.deepEqual(body, expected);
    assert.equal(resumes(), before + 1);
    const long = await exec('runner', { command: 'echo', stdin: 'x'.repeat(512 * 1024) });
    assert.equal(String(long.body['stdout']).length, 512 * 1024);
    const missing = await exec('runner', { command: 'missing' });
    assert.deepEqual([missing.status, missing.body['code']], [422, 'exec-failed']);
    for (const wrong of [{}, { command: '' }, { command: 'a\0b' }, { command: 'a', cwd: 'relative' }]) {
      assert.equal((await exec('runner', wrong)).status, 400);
    }
    assert.equal((await exec('nobody', { command: 'echo' })).status, 404);
    await until(() => Promise.resolve(api.node.service.programs === 0));
  });

  test('the WebSocket carries each channel, and how the program ended', async () => {
    await api.sleeping('typist');
    const { socket, ended, text } = open('typist', 'command=echo&command=b&tty=true&cols=10&rows=5');
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(Buffer.from([0, 104, 105]));
    socket.send(Buffer.concat([Buffer.from([4]), Buffer.from('{"cols":9,"rows":8}')]));
    await until(() => Promise.resolve(text() === '2:echo b 1:hi1:9x8'));
    socket.send(Buffer.from([255, 0]));
    assert.deepEqual(await ended, { status: { exitCode: 3 }, code: 1000 });
    const failed = open('typist', 'command=missing');
    const { status, code } = await failed.ended;
    assert.deepEqual([(status as { problem: { code: string } }).problem.code, code], ['exec-failed', 1011]);
  });

  test('a client that leaves ends its program; one that speaks otherwise is cut off', async () => {
    await api.sleeping('leaver');
    const left = open('leaver', 'command=echo');
    await until(() => Promise.resolve(left.text() !== ''));
    left.socket.terminate();
    await until(() => Promise.resolve(api.node.service.programs === 0));
    const wrong = open('leaver', 'command=echo');
    await new Promise((resolve) => wrong.socket.once('open', resolve));
    wrong.socket.send('text');
    assert.equal((await wrong.ended).code, 1003);
    await until(() => Promise.resolve(api.node.service.programs === 0));
  });

  test('input that comes when the program is over does not hold up the end', async () => {
    await api.sleeping('late');
    let over = 0;
    const attempts = 20; // which of the two is first is chance
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { socket, ended } = open('late', 'command=missing');
      void ended.then(() => over++);
      socket.on('open', () => socket.send(Buffer.from([255, 0])));
    }
    await until(() => over === attempts);
  });

  test('a refused handshake is an ordinary answer', async () => {
    for (const [path, expected] of [
      ['nobody/exec?command=echo', 404],
      ['typist/exec', 400],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${api.port}/v1/actors/${path}`);
      const status = await new Promise((resolve) => {
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
        socket.on('error', () => undefined);
      });
      assert.equal(status, expected, path);
      socket.terminate();
    }
  });

  test('files go in and out by streams', async () => {
    await api.sleeping('filer');
    const url = (path: string) => `http://127.0.0.1:${api.port}/v1/actors/filer/files?path=${encodeURIComponent(path)}`;
    const content = Buffer.alloc(2_500_000, 'content');
    const put = await fetch(url('/srv/a'), { method: 'PUT', body: content });
    assert.deepEqual([put.status, await put.json()], [200, { writtenBytes: content.length }]);
    const got = await fetch(url('/srv/a'));
    assert.ok(Buffer.from(await got.arrayBuffer()).equals(content));
    assert.equal(got.headers.get('dormouse-file-mode'), '0640');
    assert.equal((await fetch(url('/srv/a'), { method: 'PUT' })).status, 200, 'an empty file');
    assert.equal(api.node.service.files.get('/srv/a')?.length, 0);
    const statuses = await Promise.all(
      ['/none', 'relative', '/nul\0', ''].map(async (path) => (await fetch(url(path))).status),
    );
    assert.deepEqual(statuses, [404, 400, 400, 400]);
  });

  test('logs of a sleeping actor are the kept ones, of a running one its node has more; nobody is woken', async () => {
    await api.sleeping('writer');
    const record = await api.registry.getActor('writer');
    const bytes = await encodeLines([line(1, 'one'), line(2, 'two')]);
    await api.store.put(objectKeys.actorLog('writer', record?.uid ?? '', '1.1', 1), { kind: 'bytes', bytes });
    const before = resumes();
    const logs = (query = '', headers = {}) => api.call('GET', `/v1/actors/writer/logs${query}`, { headers });
    assert.equal((await logs()).text, 'one\ntwo\n');
    assert.equal((await logs('?tail=1&timestamps=true')).text, '1970-01-01T00:00:02.000Z two\n');
    assert.equal((await logs('?since=1970-01-01T00:00:01Z')).text, 'two\n');
    assert.equal((await logs('?tail=0')).text, '');
    assert.equal(resumes(), before);
    api.node.service.lines.push(line(2, 'two'), line(3, 'three'));
    await exec('writer', { command: 'echo' });
    assert.equal((await logs()).text, 'one\ntwo\nthree\n');
    const { text } = await logs('', { accept: 'text/event-stream', 'last-event-id': '2-2000000000' });
    const shape = { sequence: '3', at: '1970-01-01T00:00:03.000Z', container: 'main', stream: 'stdout', text: 'three' };
    assert.equal(text, `id: 3-3000000000\nevent: line\ndata: ${JSON.stringify(shape)}\n\n`);
    assert.equal((await logs('', { 'last-event-id': 'x' })).status, 400);
    assert.equal((await api.call('GET', '/v1/actors/nobody/logs')).status, 404);
  });

  test('kept lines that are encrypted are opened by a node; without one, what its node has is still shown', async () => {
    await api.sleeping('secretive');
    const { uid = '' } = (await api.registry.getActor('secretive')) ?? {};
    const keyRing = [newEncryptionKey('k', randomBytes(32))];
    const key = objectKeys.actorLog('secretive', uid, '1.1', 1);
    await putLines({ store: api.store, keyRing }, key, [line(1, 'secret')]);
    const logs = async () => (await api.call('GET', '/v1/actors/secretive/logs')).text;
    api.node.service.kept.set('secretive', [line(1, 'secret')]);
    assert.equal(await logs(), 'secret\n');
    api.node.service.kept.delete('secretive');
    assert.equal(await logs(), '');
  });

  function open(id: string, query: string) {
    const socket = new WebSocket(`ws://127.0.0.1:${api.port}/v1/actors/${id}/exec?${query}`);
    let text = '';
    let status: unknown;
    socket.on('message', (data: Buffer) => {
      if (data[0] === 3) status = JSON.parse(data.subarray(1).toString());
      else text += `${data[0] ?? ''}:${data.subarray(1).toString()}`;
    });
    const ended = new Promise<{ status: unknown; code: number }>((resolve) => {
      socket.on('error', () => undefined);
      socket.on('close', (code) => resolve({ status, code }));
    });
    return { socket, ended, text: () => text };
  }
});
