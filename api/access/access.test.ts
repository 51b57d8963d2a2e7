import assert from 'node:assert/strict';
import { execa } from 'execa';
import { after, before, suite, test } from 'node:test';
import { WebSocket } from 'ws';
import { drawToken } from '../../shared/access/token-text.ts';
import { startFixture, until, type Answer, type Fixture } from '../stand-in/fixture.ts';

const root = 'the-root-token-of-the-test';

interface Made {
  readonly id: string;
  readonly token: string;
}

suite('tokens', () => {
  let api: Fixture;
  let reached = 0;
  before(async () => {
    api = await startFixture((_request, response) => void (reached++, response.end('hello')), { token: root });
    const spec = { name: 'recipe', containers: [{ name: 'main', image: 'oci:/i:m', port: 80 }] };
    await call(root, 'POST', '/v1/templates', spec);
    await until(async () => (await api.registry.getTemplate('recipe'))?.state === 'ready');
    assert.equal((await call(root, 'POST', '/v1/actors', { id: 'alice', template: 'recipe' })).status, 201);
  });
  after(() => api[Symbol.asyncDispose]());

  const call = (token: string, method: string, path: string, body?: unknown, more: { port?: number } = {}) =>
    api.call(method, path, {
      headers: { authorization: `Bearer ${token}` },
      ...more,
      ...(body !== undefined && { body }),
    });
  const make = async (spec: object): Promise<Made> => {
    const answer = await call(root, 'POST', '/v1/tokens', { name: 'one', ...spec });
    assert.equal(answer.status, 201, answer.text);
    return answer.body as unknown as Made;
  };
  const said = ({ status, body }: Answer) => [status, body['code']];

  test('each scope opens its own routes and no others', async () => {
    const made = { invoke: ['invoke'], read: ['read'], both: ['invoke', 'read'], admin: ['admin'] };
    const tokens = Object.fromEntries(
      await Promise.all(
        Object.entries(made).map(async ([name, scopes]) => [name, (await make({ scopes })).token] as const),
      ),
    );
    const routes = [
      { needs: 'invoke', method: 'GET', path: '/v1/actors/alice/invoke/x' },
      { needs: 'read', method: 'GET', path: '/v1/actors' },
      { needs: 'read', method: 'GET', path: '/v1/actors/alice' },
      { needs: 'read', method: 'GET', path: '/v1/actors/alice/logs' },
      { needs: 'read', method: 'GET', path: '/v1/nodes' },
      { needs: 'admin', method: 'GET', path: '/v1/tokens' },
      { needs: 'admin', method: 'GET', path: '/v1/actors/alice/files?path=/none' },
      { needs: 'admin', method: 'POST', path: '/v1/actors/alice/resume', body: {} },
      { needs: 'admin', method: 'POST', path: '/v1/tokens', body: { name: 'more', scopes: ['read'] } },
      { needs: 'admin', method: 'DELETE', path: '/v1/actors/nobody' },
    ];
    for (const { needs, method, path, body } of routes) {
      for (const [name, token] of Object.entries(tokens)) {
        const answer = await call(token, method, path, body);
        const isAllowed = name === 'admin' || name === needs || (name === 'both' && needs !== 'admin');
        assert.equal(answer.body['code'] === 'forbidden', !isAllowed, `${name}: ${method} ${path}: ${answer.status}`);
        if (!isAllowed) assert.equal(answer.status, 403);
      }
    }
  });

  test('a scope that does not fit reaches neither an actor nor a program in one', async () => {
    const { token } = await make({ scopes: ['read'] });
    const before = reached;
    assert.deepEqual(said(await call(token, 'GET', '/v1/actors/alice/invoke/')), [403, 'forbidden']);
    const byHost = { headers: { host: 'alice.actors.test', authorization: `Bearer ${token}` } };
    assert.equal((await api.call('GET', '/', byHost)).status, 403);
    const url = `ws://127.0.0.1:${api.port}/v1/actors/alice/exec?command=echo`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode));
      socket.on('error', () => undefined);
    });
    socket.terminate();
    assert.equal(status, 403);
    assert.equal(reached, before);
    assert.equal(api.node.service.programs, 0);
  });

  test('the secret is told once and is nowhere in the store or the registry', async () => {
    const { id, token } = await make({ scopes: ['read'], name: 'hidden' });
    const secret = token.split('_').slice(2).join('_');
    const list = await call(root, 'GET', '/v1/tokens?limit=500');
    assert.ok(list.text.includes(id) && !list.text.includes(secret) && !list.text.includes('Sha256'));
    const stored = await api.store.get(`tokens/${id}.json`);
    assert.ok(!stored.includes(secret));
    const { stdout } = await execa('redis-cli', ['-s', api.redisUrl, '--scan', '--pattern', '*idempotency*']);
    const headers = { authorization: `Bearer ${root}`, 'idempotency-key': 'tokens-1' };
    const body = { name: 'again', scopes: ['read'] };
    const [first, second] = [
      await api.call('POST', '/v1/tokens', { headers, body }),
      await api.call('POST', '/v1/tokens', { headers, body }),
    ];
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.notEqual(first.body['token'], second.body['token']);
    const { stdout: later } = await execa('redis-cli', ['-s', api.redisUrl, '--scan', '--pattern', '*idempotency*']);
    assert.equal(later, stdout, 'no answer with a secret is remembered');
  });

  test('a revoked token stops on every api, and stays so when the registry is lost', async () => {
    const port = await api.another();
    const { id, token } = await make({ scopes: ['read'] });
    for (const at of [api.port, port])
      assert.equal((await call(token, 'GET', '/v1/nodes', undefined, { port: at })).status, 200);
    assert.equal((await call(root, 'DELETE', `/v1/tokens/${id}`)).status, 204);
    for (const at of [api.port, port]) {
      await until(async () => (await call(token, 'GET', '/v1/nodes', undefined, { port: at })).status === 401);
    }
    assert.deepEqual(said(await call(root, 'DELETE', `/v1/tokens/${id}`)), [404, 'token-not-found']);
    const kept = await make({ scopes: ['read'] });
    await execa('redis-cli', ['-s', api.redisUrl, 'flushall']);
    const fresh = await api.another();
    const ask = async (text: string) => (await call(text, 'GET', '/v1/nodes', undefined, { port: fresh })).status;
    assert.deepEqual([await ask(token), await ask(kept.token)], [401, 200]);
  });

  test('what is no token, or not any more, is refused with the same words', async () => {
    const { id, token } = await make({ scopes: ['admin'] });
    const forged = `dm_${id}_${drawToken().text.slice(-43)}`;
    const wrong = ['x', '', forged, token.slice(0, -1), drawToken().text, `${root}x`];
    const answers = await Promise.all(wrong.map((text) => call(text, 'GET', '/v1/nodes')));
    const words = new Set(answers.map((answer) => [...said(answer), answer.body['detail']].join(' ')));
    assert.deepEqual([...words], ['401 unauthorized the request carries no valid token']);
    assert.equal((await api.call('GET', '/v1/nodes')).status, 401);
    const ended = await make({ scopes: ['read'], expiresAt: new Date(Date.now() + 150).toISOString() });
    await until(async () => (await call(ended.token, 'GET', '/v1/nodes')).status === 401);
  });

  test('a rate limit counts for its token alone, over all that it calls', async () => {
    const slow = await make({ scopes: ['read', 'invoke'], rateLimit: { perSecond: 0.01, burst: 2 } });
    const other = await make({ scopes: ['read'], rateLimit: { perSecond: 0.01 } });
    assert.equal((await call(slow.token, 'GET', '/v1/nodes')).status, 200);
    assert.notEqual((await call(slow.token, 'GET', '/v1/actors/nobody/invoke/')).status, 429);
    for (const path of ['/v1/nodes', '/v1/actors/alice/invoke/']) {
      const answer = await call(slow.token, 'GET', path);
      assert.deepEqual(said(answer), [429, 'rate-limited']);
      assert.ok(Number(answer.headers['retry-after']) > 1);
    }
    assert.equal((await call(other.token, 'GET', '/v1/nodes')).status, 200);
    assert.equal((await call(other.token, 'GET', '/v1/nodes')).status, 429, 'a burst of one, unless given');
    assert.equal((await call(root, 'GET', '/v1/nodes')).status, 200);
  });

  test('a list has pages, in order, without those that are revoked', async () => {
    const ids: string[] = [];
    let cursor = '';
    do {
      const page = await call(root, 'GET', `/v1/tokens?limit=3${cursor}`);
      ids.push(...(page.body['items'] as Made[]).map(({ id }) => id));
      cursor = page.body['nextCursor'] === undefined ? '' : `&cursor=${page.body['nextCursor'] as string}`;
    } while (cursor !== '');
    assert.ok(ids.length > 3);
    assert.deepEqual(ids, [...new Set(ids)].sort());
  });

  test('a wrong request for a token names the field', async () => {
    const wrong = {
      'body.name': { scopes: ['read'], name: '' },
      'body.scopes': { name: 'x', scopes: [] },
      'body.scopes.0': { name: 'x', scopes: ['root'] },
      'body.expiresAt': { name: 'x', scopes: ['read'], expiresAt: '2020-01-01T00:00:00Z' },
      'body.rateLimit.perSecond': { name: 'x', scopes: ['read'], rateLimit: { perSecond: 0 } },
    };
    for (const [field, body] of Object.entries(wrong)) {
      const answer = await call(root, 'POST', '/v1/tokens', body);
      assert.deepEqual(said(answer), [400, 'invalid-input'], field);
      assert.equal((answer.body['errors'] as { field: string }[])[0]?.field, field);
    }
  });
});
