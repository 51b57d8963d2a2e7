import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request as startRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, suite, test } from 'node:test';
import { WebSocket } from 'ws';
import { callCounter, getJson, suspend } from './counter-calls.ts';
import { startPeer } from './network-peer.ts';
import { startPlatform, type Platform } from './platform.ts';

/** Short, so that a test sees it pass; the calls that must keep an actor awake last twice as long. */
const idleTimeoutMs = 2000;

suite('calls', () => {
  let platform: Platform;
  before(async () => {
    platform = await startPlatform();
    await platform.template('counter');
    await platform.template('counter', { name: 'dozer', idleTimeoutMs });
  });
  after(() => platform[Symbol.asyncDispose]());

  test('100 calls at once to a sleeping actor are 100 answers from one activation', async () => {
    const { client } = platform;
    await client.actors.create({ id: 'crowd', template: 'counter' });
    const answers = await Promise.all(Array.from({ length: 100 }, () => callCounter(client, 'crowd')));
    const memories = answers.map((answer) => answer.count.memory).sort((a, b) => a - b);
    assert.deepEqual(
      memories,
      Array.from({ length: 100 }, (_, index) => index + 1),
      'one program counted them all',
    );
    assert.equal(new Set(answers.map((answer) => answer.count.nonce)).size, 1);
    const { events } = await client.actors.explain('crowd');
    assert.equal(
      events.filter((event) => event['state'] === 'resuming').length,
      1,
      'the actor was given to a node once',
    );
  });

  test('20 calls on one kept connection right after a resume, and across a suspend, are all answered', async () => {
    const { client, url } = platform;
    await client.actors.create({ id: 'steady', template: 'counter' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<number | undefined>();
    for (let round = 0; round < 2; round++) {
      for (let call = 1; call <= 20; call++) {
        const { status, body, localPort } = await get(`${url}/v1/actors/steady/invoke/`, agent);
        assert.equal(status, 200, body);
        assert.equal((JSON.parse(body) as { memory: number }).memory, round * 20 + call);
        sockets.add(localPort);
      }
      await suspend(client, 'steady');
    }
    assert.equal(sockets.size, 1, 'it was one connection');
    agent.destroy();
  });

  test('an actor is reached by its host name as well', async () => {
    const { client, url } = platform;
    await client.actors.create({ id: 'named', template: 'counter' });
    const agent = new Agent();
    const { status, body } = await get(`${url}/some/path?x=1`, agent, { host: 'named.actors.localhost' });
    assert.equal(status, 200, body);
    assert.equal((JSON.parse(body) as { path: string }).path, '/some/path');
  });

  test('an actor left alone is suspended; a slow request, a stream and a WebSocket keep it awake', async () => {
    const { client, url } = platform;
    const waits: Record<string, (id: string) => Promise<void>> = {
      slow: async (id) => {
        await getJson(client, id, `/slow?ms=${2 * idleTimeoutMs}`);
      },
      stream: async (id) => {
        const response = await client.actor(id).fetch(`/stream?ms=${idleTimeoutMs / 2}&count=4`);
        assert.equal(response.status, 200);
        const chunks: string[] = [];
        for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk as Uint8Array).toString());
        assert.ok(chunks.length >= 4, `it came in ${chunks.length} pieces`);
      },
      websocket: (id) => echoFor(`${url.replace('http', 'ws')}/v1/actors/${id}/invoke/ws`, 2 * idleTimeoutMs),
    };
    await Promise.all(
      Object.entries(waits).map(async ([kind, wait]) => {
        const id = `awake-${kind}`;
        await client.actors.create({ id, template: 'dozer' });
        await callCounter(client, id);
        await wait(id);
        const { state, generation } = await client.actors.get(id);
        assert.equal(state, 'running', `${kind} did not keep it awake`);
        assert.equal(generation, 0);
        await client.actors.wait(id, 'suspended', { timeoutMs: 30_000 });
        const { count, start } = await callCounter(client, id);
        assert.deepEqual([count.memory, count.file, start], [2, 2, 'warm']);
      }),
    );
  });

  test('a 20 MiB upload that wakes the actor arrives whole', async () => {
    const { client } = platform;
    await client.actors.create({ id: 'heavy', template: 'counter' });
    const body = randomBytes(20 * 1024 * 1024);
    const response = await client.actor('heavy').fetch('/upload', { method: 'POST', body });
    const answer = (await response.json()) as Record<string, unknown>;
    assert.equal(response.status, 200);
    assert.deepEqual(
      { bytes: answer['bytes'], sha256: answer['sha256'] },
      { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') },
    );
  });

  test('a call that may not wake is refused and wakes nothing', async () => {
    const { client } = platform;
    await client.actors.create({ id: 'asleep', template: 'counter' });
    await assert.rejects(client.actor('asleep').fetch('/', { headers: { 'dormouse-wake': 'never' } }), {
      code: 'actor-asleep',
    });
    assert.equal((await client.actors.get('asleep')).state, 'suspended');
    await assert.rejects(client.actor('nobody').fetch('/'), { code: 'actor-not-found', status: 404 });
  });

  test('what the warm-up calls changed is in every new actor, which then goes its own way', async () => {
    const { client } = platform;
    const { containers } = (await client.templates.get('counter')).spec;
    await platform.template('counter', {
      name: 'warmed',
      containers: containers.map((container) => ({ ...container, warmUp: { paths: ['/'], times: 3 } })),
    });
    const ids = ['warmed-a', 'warmed-b'];
    for (const id of ids) await client.actors.create({ id, template: 'warmed' });
    const firsts = await Promise.all(ids.map(async (id) => (await callCounter(client, id)).count));
    assert.deepEqual(
      firsts.map(({ memory, file }) => [memory, file]),
      [
        [4, 4],
        [4, 4],
      ],
    );
    assert.equal(firsts[0]?.nonce, firsts[1]?.nonce);
    assert.equal((await callCounter(client, 'warmed-a')).count.memory, 5);
  });

  test('clones of one golden have their own identity, random numbers, and the right time', async () => {
    const { client } = platform;
    const ids = ['twin-a', 'twin-b'];
    for (const id of ids) await client.actors.create({ id, template: 'counter' });
    const seen = await Promise.all(
      ids.map(async (id) => ({
        random: await getJson(client, id, '/random'),
        identity: await getJson(client, id, '/identity'),
        count: (await callCounter(client, id)).count,
      })),
    );
    const [a, b] = seen;
    assert.ok(a && b);
    assert.equal(a.count.nonce, b.count.nonce, 'they are clones of one memory');
    assert.notDeepEqual(a.random, b.random);
    assert.deepEqual([a.identity['id'], b.identity['id']], ids);
    assert.notEqual(a.identity['uid'], b.identity['uid']);

    // Frozen for longer than the allowed error: a clock that was not set again would be late by this much.
    await suspend(client, 'twin-a');
    await delay(3000);
    const { unixMs } = await getJson(client, 'twin-a', '/time');
    assert.ok(
      Math.abs(Number(unixMs) - Date.now()) < 1000,
      `the guest's clock is off by ${Number(unixMs) - Date.now()} ms`,
    );
    const again = await getJson(client, 'twin-a', '/identity');
    assert.equal(again['generation'], 1);
    assert.notEqual(again['epoch'], a.identity['epoch'], 'the identity is written anew at each start');
  });

  test('nothing leaves the VM unless its template allows it', async () => {
    const { client } = platform;
    await using peer = await startPeer();
    await platform.template('counter', { name: 'outward', egress: { allow: [`${peer.address}/32`] } });
    await client.actors.create({ id: 'inward', template: 'counter' });
    await client.actors.create({ id: 'outward', template: 'outward' });
    const reaches = async (id: string, address: string): Promise<unknown> =>
      (await getJson(client, id, `/dial?address=${address}`))['connected'];
    assert.equal(await reaches('outward', `${peer.address}:${peer.port}`), true, 'an allowed address is reached');
    const api = new URL(platform.url).host;
    for (const address of [`${peer.address}:${peer.port}`, '169.254.9.1:22', `198.18.0.1:80`, api]) {
      assert.equal(await reaches('inward', address), false, address);
    }
    assert.equal(await reaches('outward', `169.254.9.1:22`), false);
  });
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly localPort: number | undefined;
}

function get(url: string, agent: Agent, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = startRequest(url, { agent, headers }, (response) => {
      const { localPort } = response.socket;
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, body, localPort }));
    });
    request.on('error', reject);
    request.end();
  });
}

/** Opens a WebSocket, echoes one message at the start and one at the end. */
async function echoFor(url: string, ms: number): Promise<void> {
  const socket = new WebSocket(url);
  const echo = async (text: string): Promise<void> => {
    const answer = new Promise<string>((resolve, reject) => {
      socket.once('message', (data) => resolve((data as Buffer).toString()));
      socket.once('close', () => reject(new Error('the connection closed')));
    });
    socket.send(text);
    assert.equal(await answer, text);
  };
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  await echo('hello');
  await delay(ms);
  await echo('still there');
  socket.close();
}
