import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import { beginIdleSuspend } from '../stand-in/node.ts';
import { drawToken } from '../../shared/access/token-text.ts';
import { startFixture, until, type Fixture } from '../stand-in/fixture.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

suite('invocations', () => {
  let api: Fixture;
  const seen: { url: string; headers: string[] }[] = [];
  const sockets = new WebSocketServer({ noServer: true });

  before(async () => {
    api = await startFixture(
      (request, response) => {
        seen.push({ url: request.url ?? '', headers: request.rawHeaders });
        if (request.url === '/die') request.socket.destroy();
        else if (request.method === 'POST' || request.method === 'PUT') request.pipe(response);
        else response.writeHead(200, { 'dormouse-secret': 's', 'server-timing': 'own;dur=1' }).end('hello');
      },
      {
        token: 'a-token-of-the-test',
        slots: 100,
        upgrade: (request, socket, head) => {
          sockets.handleUpgrade(request, socket, head, (peer) => {
            peer.on('message', (data) => peer.send(`echo ${(data as Buffer).toString()}`));
          });
        },
      },
    );
  });
  after(() => api[Symbol.asyncDispose]());

  const auth = { authorization: 'Bearer a-token-of-the-test' };
  const invoke = (id: string, path = '', headers = {}, port = api.port) =>
    api.call('GET', `/v1/actors/${id}/invoke${path}`, { headers: { ...auth, ...headers }, port });

  /** Creates without the token in every call of the fixture: the registry is asked directly. */
  async function sleeping(id: string, template = {}): Promise<void> {
    const post = (path: string, body: unknown) => api.call('POST', path, { body, headers: auth });
    const spec = { name: `t-${id}`, containers: [{ name: 'main', image: 'oci:/i:m', port: 80 }], ...template };
    assert.equal((await post('/v1/templates', spec)).status, 201);
    await until(async () => (await api.registry.getTemplate(spec.name))?.state === 'ready');
    assert.equal((await post('/v1/actors', { id, template: spec.name })).status, 201);
  }

  const resumes = (): number => api.node.jobs.filter((kind) => kind === 'resume').length;

  function upload(id: string, body: Buffer): http.ClientRequest {
    const headers = { ...auth, 'content-length': body.length };
    const request = http.request({
      host: '127.0.0.1',
      port: api.port,
      method: 'PUT',
      path: `/v1/actors/${id}/invoke/up`,
      headers,
    });
    request.end(body);
    return request;
  }

  test('100 calls through two processes to a sleeping actor: one claim, 100 answers', async () => {
    await sleeping('crowd');
    const second = await api.another();
    const before = resumes();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => invoke('crowd', '/x', {}, index % 2 === 0 ? api.port : second)),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(resumes() - before, 1);
    assert.equal((await api.registry.getActor('crowd'))?.epoch, '1.1');
    const starts = new Set(answers.map(({ headers }) => headers['dormouse-start']));
    assert.ok(starts.has('warm') && !starts.has('cold'), [...starts].join());
  });

  test('headers: phases and kind of the start, then hot; ours never reach the actor', async () => {
    await sleeping('headed');
    const first = await invoke('headed', '/a?b=c', { 'x-request-id': 'mine-1', 'dormouse-wake': 'yes', 'x-mine': '1' });
    assert.equal(first.headers['dormouse-start'], 'warm');
    assert.equal(first.headers['dormouse-epoch'], (await api.registry.getActor('headed'))?.epoch);
    assert.match(
      String(first.headers['server-timing']),
      /^own;dur=1, queue;dur=1.5, vmm;dur=2, app;dur=[\d.]+, total;dur=/,
    );
    assert.equal(first.headers['x-request-id'], 'mine-1');
    assert.equal(first.headers['dormouse-secret'], undefined);
    const { url, headers = [] } = seen.at(-1) ?? {};
    assert.equal(url, '/a?b=c');
    const names = headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    assert.deepEqual(
      names.filter((name) => name === 'authorization' || name === 'dormouse-wake'),
      [],
    );
    const valueOf = (name: string) => headers[2 * names.indexOf(name) + 1];
    assert.equal(valueOf('x-forwarded-for'), '127.0.0.1');
    assert.equal(valueOf('x-forwarded-proto'), 'http');
    assert.equal(valueOf('x-forwarded-host'), `127.0.0.1:${api.port}`);
    assert.equal(valueOf('x-request-id'), 'mine-1');
    assert.equal(valueOf('x-mine'), '1');
    const second = await invoke('headed', '', { authorization: 'Basic own', 'dormouse-token': 'a-token-of-the-test' });
    assert.equal(second.headers['dormouse-start'], 'hot');
    assert.match(String(second.headers['server-timing']), /^own;dur=1, app;dur=[\d.]+, total;dur=[\d.]+$/);
    const passed = seen.at(-1)?.headers ?? [];
    assert.equal(passed[passed.indexOf('authorization') + 1], 'Basic own');
    assert.ok(!passed.includes('dormouse-token'));
    const stray = { authorization: `Bearer ${drawToken().text}`, 'dormouse-token': 'a-token-of-the-test' };
    assert.equal((await invoke('headed', '', stray)).status, 200);
    assert.ok(
      !(seen.at(-1)?.headers ?? []).join('\n').toLowerCase().includes('authorization'),
      'not even a wrong token',
    );
  });

  test('without the token nothing is woken', async () => {
    await sleeping('guarded');
    const answer = await invoke('guarded', '', { authorization: 'Bearer wrong' });
    assert.deepEqual([answer.status, answer.body['code']], [401, 'unauthorized']);
    assert.equal((await api.registry.getActor('guarded'))?.state, 'suspended');
  });

  test('by host name', async () => {
    await sleeping('hosted');
    const answer = await api.call('GET', '/v1/actors', { headers: { ...auth, host: 'hosted.actors.test:7070' } });
    assert.deepEqual([answer.status, answer.text], [200, 'hello']);
    assert.equal(seen.at(-1)?.url, '/v1/actors');
    const nobody = await api.call('GET', '/', { headers: { ...auth, host: 'no.body.actors.test' } });
    assert.deepEqual([nobody.status, nobody.body['code']], [404, 'actor-not-found']);
  });

  test('a refusal in the middle of a suspend: the next wake serves the call, its body whole', async () => {
    await sleeping('moving');
    await invoke('moving');
    const body = randomBytes(20 * 1024 * 1024);
    api.node.draining = true;
    await beginIdleSuspend(api.registry, 'moving');
    const refusals = api.node.refusals.length;
    // The api may still see `running` when the node refuses: put it back to that for its first look.
    const epoch = (await api.registry.getActor('moving'))?.epoch ?? '';
    await api.registry.transition({ id: 'moving', from: ['suspending'], to: 'running', epoch, reason: 'test' });
    const request = upload('moving', body);
    await until(() => api.node.refusals.length > refusals);
    assert.equal(api.node.refusals.at(-1), 'draining');
    await beginIdleSuspend(api.registry, 'moving');
    await api.registry.transition({ id: 'moving', from: ['suspending'], to: 'suspended', epoch, reason: 'committed' });
    api.node.draining = false;
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers['dormouse-start'], 'warm');
    assert.equal(sha256(await buffer(answer)), sha256(body));
    assert.notEqual((await api.registry.getActor('moving'))?.epoch, epoch, 'it was the next activation');
  });

  test('an upload during a wake arrives whole', async () => {
    await sleeping('uploaded');
    const body = randomBytes(20 * 1024 * 1024);
    const [answer] = (await once(upload('uploaded', body), 'response')) as [IncomingMessage];
    assert.equal(sha256(await buffer(answer)), sha256(body));
  });

  test('more waiting than allowed: 429; a wake that takes too long: 504; a client that leaves frees its place', async () => {
    await sleeping('slow', { maxPendingRequests: 2, wakeTimeoutMs: 1500 });
    const gate = Promise.withResolvers<undefined>();
    api.node.beforeJob = () => gate.promise;
    const path = '/v1/actors/slow/invoke/';
    const leaver = http.get({ host: '127.0.0.1', port: api.port, path, headers: auth, agent: false });
    leaver.on('error', () => undefined);
    const waiter = invoke('slow');
    await until(async () => (await api.registry.getActor('slow'))?.state === 'resuming');
    await until(async () => (await invoke('slow')).status === 429);
    const refused = await invoke('slow');
    assert.deepEqual(
      [refused.status, refused.body['code'], refused.body['retryable']],
      [429, 'too-many-pending', true],
    );
    assert.equal(refused.headers['retry-after'], '2');
    leaver.destroy();
    // The place is free when a call waits instead of being refused: it then runs into the wake's limit like the first.
    const late = await (async () => {
      for (;;) {
        const answer = await invoke('slow');
        if (answer.status !== 429) return answer;
      }
    })();
    assert.deepEqual([late.status, late.body['code']], [504, 'wake-timeout']);
    assert.deepEqual([(await waiter).status, (await waiter).body['code']], [504, 'wake-timeout']);
    api.node.beforeJob = () => undefined;
    gate.resolve(undefined);
    assert.equal((await invoke('slow')).status, 200);
  });

  test('a wake that fails answers with its error; the next call tries again', async () => {
    await sleeping('faulty');
    api.node.beforeJob = async (job) => {
      if (job.kind !== 'resume') return;
      api.node.beforeJob = () => undefined;
      const lastError = serializeError(new DormouseError('vmm-failed', 'it burned'));
      const move = { id: 'faulty', from: ['resuming'], to: 'suspended', epoch: job.epoch, reason: 'burned' } as const;
      await api.registry.transition({ ...move, update: { lastError } });
      throw new DormouseError('vmm-failed', 'it burned');
    };

    const answer = await invoke('faulty');
    assert.deepEqual([answer.status, answer.body['code'], answer.body['detail']], [500, 'vmm-failed', 'it burned']);
    assert.equal((await invoke('faulty')).status, 200);
  });

  test('a failed actor, one that may not be woken, one that is not there', async () => {
    await sleeping('broken');
    const asleep = await invoke('broken', '', { 'dormouse-wake': 'never' });
    assert.deepEqual([asleep.status, asleep.body['code']], [409, 'actor-asleep']);
    const claim = await api.registry.claim('broken', 'node-1', 60_000, 'test');
    assert.equal(claim.outcome, 'claimed');
    await api.registry.transition({
      id: 'broken',
      from: ['resuming'],
      to: 'failed',
      epoch: claim.epoch,
      reason: 'flipped byte',
    });
    const failed = await invoke('broken');
    assert.deepEqual([failed.status, failed.body['code']], [409, 'actor-failed']);
    assert.match(String(failed.body['detail']), /flipped byte/);
    assert.equal((await invoke('nobody')).body['code'], 'actor-not-found');
  });

  test('an actor that dies before it answers: 502', async () => {
    await sleeping('mortal');
    const answer = await invoke('mortal', '/die');
    assert.deepEqual([answer.status, answer.body['code']], [502, 'actor-unreachable']);
    assert.equal(answer.headers['dormouse-start'], undefined);
  });

  test('no room anywhere: 503, with the reason', async () => {
    await sleeping('roomless', { wakeTimeoutMs: 1000 });
    await api.registry.setNodeState('node-1', 'draining');
    const answer = await invoke('roomless');
    await api.registry.setNodeState('node-1', 'ready');
    assert.deepEqual([answer.status, answer.body['code']], [503, 'no-capacity']);
    assert.match(String(answer.body['detail']), /node-1: it is draining/);
    assert.ok(Number(answer.headers['retry-after']) >= 1);
  });

  test('a WebSocket wakes the actor and passes', async () => {
    await sleeping('chatty');
    const socket = new WebSocket(`ws://127.0.0.1:${api.port}/v1/actors/chatty/invoke/ws`, { headers: auth });
    const upgraded = once(socket, 'upgrade') as Promise<[IncomingMessage]>;
    await once(socket, 'open');
    assert.equal((await upgraded)[0].headers['dormouse-start'], 'warm');
    socket.send('hi');
    assert.equal(String((await once(socket, 'message'))[0]), 'echo hi');
    socket.close();
    await once(socket, 'close');
  });

  test('a refused WebSocket handshake is a problem document', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${api.port}/v1/actors/nobody/invoke/ws`, { headers: auth });
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    assert.equal(answer.statusCode, 404);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    socket.on('error', () => undefined);
    socket.terminate();
  });
});
