import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, suite, test, type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { inspectStore } from '../../shared/fsck/inspect-store.ts';
import { listen } from '../../shared/http/listen.ts';
import { startFixture, until, type Fixture } from '../stand-in/fixture.ts';
import { signatureOf } from './deliver.ts';
import { startWebhooks } from './send-webhooks.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly body: {
    readonly type: string;
    readonly timestamp: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
  readonly status: number;
}

/** A receiver that answers with the given statuses first, then 200. */
async function startReceiver(context: TestContext, ...statuses: number[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((raw) => {
      const status = statuses.shift() ?? 200;
      received.push({ headers: request.headers, raw, status, body: JSON.parse(raw) as Received['body'] });
      response.writeHead(status, { location: '/elsewhere' }).end('a body that nobody reads');
    });
  });
  const listening = await listen(server, '127.0.0.1', 0);
  context.after(() => listening[Symbol.asyncDispose]());
  return { url: `${listening.url}/hook`, received, all: statuses };
}

const fast = { everyMs: 20, pausesMs: [10, 10, 10] };

suite('webhooks', () => {
  let api: Fixture;
  before(async () => {
    api = await startFixture((_request, response) => response.end('hello'));
  });
  after(() => api[Symbol.asyncDispose]());

  const create = async (fields: object): Promise<Record<string, unknown>> => {
    const answer = await api.call('POST', '/v1/webhooks', { body: fields });
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  };
  const remove = (id: unknown) => api.call('DELETE', `/v1/webhooks/${String(id)}`);
  const shown = async (id: unknown): Promise<Record<string, unknown> | undefined> => {
    const { items } = (await api.call('GET', '/v1/webhooks')).body as { items: Record<string, unknown>[] };
    return items.find((item) => item['id'] === id);
  };
  const cycle = async (id: string): Promise<void> => {
    await api.call('GET', `/v1/actors/${id}/invoke/`);
    await api.call('POST', `/v1/actors/${id}/suspend`, { headers: { prefer: 'wait=10' } });
  };

  test('signed, tried again with the same id until it is taken, each event of an actor in order', async (context) => {
    const receiver = await startReceiver(context, 500, 302);
    await api.sleeping('called');
    const { id, secret } = await create({ url: receiver.url, events: ['actor'] });
    await using _sender = startWebhooks(api.parts, { holder: randomUUID(), ...fast });
    await cycle('called');
    await until(() => receiver.received.length === 6);
    const taken = receiver.received.filter(({ status }) => status === 200);
    assert.deepEqual(
      taken.map(({ body }) => body.type),
      ['actor.resuming', 'actor.running', 'actor.suspending', 'actor.suspended'],
    );
    const first = receiver.received.slice(0, 3).map(({ headers }) => headers['webhook-id']);
    assert.equal(new Set(first).size, 1);
    for (const { headers, raw, body } of receiver.received) {
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${raw}`;
      const key = Buffer.from(String(secret).slice('whsec_'.length), 'base64');
      const mac = createHmac('sha256', key).update(signed).digest('base64');
      assert.equal(headers['webhook-signature'], `v1,${mac}`);
      assert.equal(headers['webhook-id'], `evt_${String(body.data['id'])}`);
    }
    assert.deepEqual([taken[1]?.body.data['actor'], taken[1]?.body.data['to']], ['called', 'running']);
    await until(async () => (await shown(id))?.['state'] === 'active');
    assert.ok((await shown(id))?.['deliveredAt']);
    assert.equal((await remove(id)).status, 204);
  });

  test('the next process goes on where the last one ended; what happened between is not lost', async (context) => {
    const receiver = await startReceiver(context);
    // What a process had delivered and not noted down yet when it ended comes again, under the same id.
    const delivered = () => new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size;
    await api.sleeping('outlasting');
    const { id } = await create({ url: receiver.url, events: ['actor.running', 'actor.suspended'] });
    {
      await using _sender = startWebhooks(api.parts, { holder: randomUUID(), ...fast });
      await cycle('outlasting');
      await until(() => delivered() === 2);
    }
    await cycle('outlasting');
    assert.equal(delivered(), 2, 'nobody delivers');
    // Both would: one leads.
    await using _one = startWebhooks(api.parts, { holder: randomUUID(), ...fast });
    await using _other = startWebhooks(api.parts, { holder: randomUUID(), ...fast });
    await until(() => delivered() === 4);
    await cycle('outlasting');
    await until(() => delivered() === 6);
    await remove(id);
  });

  test('a receiver that never takes it is given up, with the reason; its neighbours go on', async (context) => {
    const dead = await startReceiver(context, ...Array.from({ length: 100 }, () => 503));
    const gone = await startReceiver(context, 410);
    const well = await startReceiver(context);
    await api.sleeping('watched');
    const [first, second, third] = [
      await create({ url: dead.url, events: ['actor'] }),
      await create({ url: gone.url, events: ['actor'] }),
      await create({ url: well.url, events: ['actor'] }),
    ];
    await using _sender = startWebhooks(api.parts, { holder: randomUUID(), ...fast });
    await cycle('watched');
    await until(() => well.received.length === 4);
    await until(async () => (await shown(first['id']))?.['state'] === 'disabled');
    await until(async () => (await shown(second['id']))?.['state'] === 'disabled');
    assert.equal((await shown(first['id']))?.['reason'], '4 attempts failed: answered 503');
    assert.match(String((await shown(second['id']))?.['reason']), /410/);
    assert.deepEqual([dead.received.length, gone.received.length], [4, 1]);
    await cycle('watched');
    await until(() => well.received.length === 8);
    assert.deepEqual([dead.received.length, gone.received.length], [4, 1], 'disabled is disabled');
    for (const webhook of [first, second, third]) await remove(webhook['id']);
  });

  test('a disabled one is enabled again: it goes on with what was given up; what it missed is not lost', async (context) => {
    const receiver = await startReceiver(context, ...Array.from({ length: 4 }, () => 503));
    await api.sleeping('missed');
    const { id } = await create({ url: receiver.url, events: ['actor.running', 'actor.suspended'] });
    const webhook = `/v1/webhooks/${String(id)}`;
    await using _sender = startWebhooks(api.parts, { holder: randomUUID(), ...fast });
    await cycle('missed');
    await until(async () => (await api.call('GET', webhook)).body['state'] === 'disabled');
    assert.equal(receiver.received.length, 4);
    for (const _twice of [1, 2]) {
      const enabled = await api.call('POST', `${webhook}/enable`);
      assert.deepEqual([enabled.status, enabled.body['state'], enabled.body['reason']], [200, 'active', undefined]);
    }
    const taken = () => receiver.received.filter(({ status }) => status === 200).map(({ body }) => body.type);
    await until(() => new Set(taken()).size === 2);
    assert.deepEqual(new Set(taken()), new Set(['actor.running', 'actor.suspended']));
    await remove(id);
    for (const [method, action] of [
      ['GET', ''],
      ['POST', '/enable'],
      ['POST', '/test'],
    ] as const) {
      assert.equal((await api.call(method, webhook + action)).body['code'], 'webhook-not-found');
    }
  });

  test('a test message is signed and sent once, whatever the state; the answer says what became of it', async (context) => {
    const receiver = await startReceiver(context, 200, 500);
    const { id, secret } = await create({ url: receiver.url });
    const sendTest = async () => (await api.call('POST', `/v1/webhooks/${String(id)}/test`)).body;
    assert.deepEqual(await sendTest(), { delivered: true });
    assert.deepEqual(await sendTest(), { delivered: false, reason: 'answered 500' });
    const [first] = receiver.received;
    const messageId = String(first?.headers['webhook-id']);
    const at = String(first?.headers['webhook-timestamp']);
    assert.equal(first?.headers['webhook-signature'], signatureOf(String(secret), messageId, at, first?.raw ?? ''));
    assert.deepEqual([first.body.type, first.body.data['webhook'], receiver.received.length], ['test', id, 2]);
    await remove(id);
  });

  test('events that are no longer kept are told as a gap', async (context) => {
    const receiver = await startReceiver(context);
    await api.sleeping('late');
    const { id } = await create({ url: receiver.url });
    await cycle('late');
    const redis = new Redis(api.redisUrl);
    await redis.xtrim('{dm}:events', 'MAXLEN', 1);
    redis.disconnect();
    await using _sender = startWebhooks(api.parts, { holder: randomUUID(), ...fast });
    await until(() => receiver.received.length === 2);
    assert.deepEqual(
      receiver.received.map(({ body }) => body.type),
      ['gap', 'actor.suspended'],
    );
    await remove(id);
  });

  test('what is no webhook is refused, and secrets are shown once', async (context) => {
    const receiver = await startReceiver(context);
    const refused = async (fields: object, field: string): Promise<void> => {
      const answer = await api.call('POST', '/v1/webhooks', { body: fields });
      assert.deepEqual([answer.status, answer.body['code']], [400, 'invalid-input']);
      assert.match(answer.text, new RegExp(`"field":"body\\.${field}`));
    };
    await refused({ url: 'file:///etc/passwd' }, 'url');
    await refused({ url: 'http://user:secret@example.com/' }, 'url');
    await refused({ url: receiver.url, secret: 'short' }, 'secret');
    await refused({ url: receiver.url, events: ['operation'] }, 'events');
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const made = await create({ url: receiver.url, secret });
    assert.equal(made['secret'], secret);
    const { text: list } = await api.call('GET', '/v1/webhooks');
    assert.ok(list.includes(String(made['id'])) && !list.includes('whsec_'));
    // Remembered for that key, the answer would keep the secret in Redis for a day.
    const request = { body: { url: receiver.url }, headers: { 'idempotency-key': 'k' } };
    const repeated = [1, 2].map(async () => (await api.call('POST', '/v1/webhooks', request)).body['id']);
    const ids = await Promise.all(repeated);
    assert.notEqual(ids[0], ids[1]);
    for (const id of ids) await remove(id);
    const verdicts: string[] = [];
    await inspectStore({
      store: api.store,
      onFinding({ key, verdict }) {
        if (key.startsWith('webhooks/')) verdicts.push(verdict);
      },
    });
    assert.deepEqual(verdicts, ['live']);
    await remove(made['id']);
    assert.equal((await remove(made['id'])).body['code'], 'webhook-not-found');
  });
});
