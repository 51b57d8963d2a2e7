/** Clients that never stop calling, while the actor is put to sleep again and again at whatever moment it happens to be. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request as startRequest } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Platform } from './platform.ts';

const sleeps = 10;
const counters = 3;
const uploadBytes = 256 * 1024;

/** Fails unless every call is answered with 200 and the counter has counted each exactly once. */
export async function callSteadily({ client, url }: Platform): Promise<void> {
  await client.actors.create({ id: 'steady', template: 'counter' });
  let stop = false;
  const counted: { memory: number; nonce: string }[] = [];
  const count = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stop) counted.push((await call(agent, url, 'GET', '/')) as { memory: number; nonce: string });
    agent.destroy();
  };
  let uploads = 0;
  const upload = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const body = randomBytes(uploadBytes);
    const sha256 = createHash('sha256').update(body).digest('hex');
    while (!stop) {
      const answer = (await call(agent, url, 'POST', '/upload', body)) as { sha256: string };
      assert.equal(answer.sha256, sha256, 'it arrived whole');
      uploads++;
    }
    agent.destroy();
  };
  const clients = Promise.all([...Array.from({ length: counters }, count), upload()]);
  const drive = async (): Promise<void> => {
    for (let sleep = 0; sleep < sleeps; sleep++) {
      await client.actors.wait('steady', 'running', { timeoutMs: 60_000 });
      await delay(100 + 37 * sleep); // another offset each time
      const options = { waitMs: 60_000 };
      const asked = sleep % 3 === 2 ? client.actors.pause('steady', options) : client.actors.suspend('steady', options);
      assert.equal((await asked).state, 'done');
    }
  };
  try {
    await Promise.race([drive(), clients]);
  } finally {
    stop = true;
  }
  await clients;
  const { generation } = await client.actors.get('steady');
  assert.ok(generation >= sleeps - 3, `it slept: generation ${generation}`);
  assert.ok(
    counted.length > 5 * sleeps && uploads > sleeps,
    `it was busy: ${counted.length} calls, ${uploads} uploads`,
  );
  const memories = counted.map(({ memory }) => memory).sort((a, b) => a - b);
  assert.deepEqual(
    memories,
    memories.map((_memory, index) => index + 1),
    'no gap, no duplicate',
  );
  assert.equal(new Set(counted.map(({ nonce }) => nonce)).size, 1, 'it was one program all the time');
}

function call(agent: Agent, url: string, method: string, path: string, body?: Buffer): Promise<unknown> {
  const headers = body === undefined ? {} : { 'content-length': body.length };
  const request = startRequest(`${url}/v1/actors/steady/invoke${path}`, { agent, method, headers });
  request.end(body);
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      json(response).then((answer) => {
        if (response.statusCode === 200) resolve(answer);
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${JSON.stringify(answer)}`));
      }, reject);
    });
  });
}
