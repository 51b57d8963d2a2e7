import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { WebSocket } from 'ws';
import { readHead } from '../../shared/snapshot/actor-log.ts';
import { readEvents } from '../stand-in/event-reader.ts';
import { specOf, startFixture, until, type Answer, type Fixture } from '../stand-in/fixture.ts';

const root = 'the-root-token-of-the-test';

interface Who {
  readonly token: string;
  readonly namespace?: string;
}
const unbound: Who = { token: root };
const inNamespace = (namespace: string): Who => ({ token: root, namespace });

const headersOf = ({ token, namespace }: Who): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  ...(namespace !== undefined && { 'dormouse-namespace': namespace }),
});

/** What a route needs beside an id to be more than bad input; a new one that needs something is named by the test below. */
const needed: Readonly<Record<string, { readonly query?: string; readonly body?: unknown }>> = {
  'GET /v1/actors/{id}/wait': { query: '?state=suspended' },
  'GET /v1/actors/{id}/files': { query: '?path=/etc' },
  'PUT /v1/actors/{id}/files': { query: '?path=/tmp/x', body: 'x' },
  'POST /v1/actors/{id}/exec': { body: { command: 'true' } },
};

/** What the description says there is, by what a token of one namespace may expect of it. */
const open = ['/healthz', '/readyz', '/errors/{code}'];
const ofThePlatform = ['/v1/nodes', '/v1/tokens', '/v1/admin', '/metrics'];
const lists = ['/v1/actors', '/v1/templates', '/v1/webhooks', '/v1/events'];
const notThere = /^(actor|template|operation|webhook|namespace)-not-found$/;
const begins = (path: string, roots: readonly string[]): boolean => roots.some((one) => path.startsWith(one));

suite('namespaces', () => {
  let api: Fixture;
  let reached = 0;
  let blue: Who;
  let red: Who;
  const ids = { operation: '', webhook: '' };

  const call = (who: Who, method: string, path: string, body?: unknown): Promise<Answer> =>
    api.call(method, path, { headers: headersOf(who), ...(body !== undefined && { body }) });
  const said = ({ status, body }: Answer) => [status, body['code']];
  const bound = async (namespace: string, ...scopes: string[]): Promise<Who> => {
    const made = await call(unbound, 'POST', '/v1/tokens', { name: namespace, scopes, namespace });
    assert.deepEqual([made.status, made.body['namespace']], [201, namespace], made.text);
    return { token: String(made.body['token']) };
  };
  const prepared = (name: string) => until(async () => (await api.registry.getTemplate(name))?.state === 'ready');

  before(async () => {
    api = await startFixture((request, response) => void (reached++, response.end(`reached ${request.url ?? ''}`)), {
      token: root,
    });
    [red, blue] = [await bound('red', 'admin'), await bound('blue', 'admin')];
    assert.equal((await call(unbound, 'POST', '/v1/templates', specOf('shared'))).status, 201);
    assert.equal((await call(inNamespace('red'), 'POST', '/v1/templates', specOf('own'))).status, 201);
    await prepared('shared');
    await prepared('-red.own');
    assert.equal((await call(red, 'POST', '/v1/actors', { id: 'alice', template: 'own' })).status, 201);
    assert.equal((await call(unbound, 'POST', '/v1/actors', { id: 'root-only', template: 'shared' })).status, 201);
    const operation = await call(red, 'POST', '/v1/actors/alice/suspend', {});
    const webhook = await call(red, 'POST', '/v1/webhooks', { url: 'http://127.0.0.1:1/' });
    assert.deepEqual([operation.status, webhook.status], [202, 201], webhook.text);
    Object.assign(ids, { operation: operation.body['id'], webhook: webhook.body['id'] });
  });
  after(() => api[Symbol.asyncDispose]());

  interface Route {
    readonly method: string;
    readonly path: string;
  }
  const described = async (): Promise<Route[]> => {
    const { body } = await api.call('GET', '/openapi.json');
    return Object.entries(body['paths'] as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    );
  };
  const ask = (who: Who, { method, path }: Route): Promise<Answer> => {
    const { query = '', body } = needed[`${method} ${path}`] ?? {};
    const id = path.startsWith('/v1/operations')
      ? ids.operation
      : path.startsWith('/v1/webhooks')
        ? ids.webhook
        : 'alice';
    const place = path.replace('{id}', id).replace('{name}', 'own').replace('{path}', 'x');
    return call(who, method, place + query, body ?? (method === 'POST' ? {} : undefined));
  };

  test('on every route, what is of another namespace is not there, and nothing happens to it', async () => {
    const before = [await api.registry.getActor('-red.alice'), await readHead(api.store, '-red.alice'), reached];
    const withId = (await described()).filter(
      ({ path }) => path.includes('{') && !begins(path, [...open, ...ofThePlatform]),
    );
    assert.ok(withId.length > 20, `only ${withId.length} routes`);
    for (const who of [
      blue,
      unbound,
      inNamespace('blue'),
      { ...blue, namespace: 'red' },
      { ...blue, namespace: '*' },
    ]) {
      for (const route of withId) {
        const answer = await ask(who, route);
        const facts = `${route.method} ${route.path} as ${JSON.stringify(who.namespace)}: ${answer.text}`;
        assert.equal(answer.status, 404, facts);
        assert.match(String(answer.body['code']), notThere, facts);
        assert.ok(!answer.text.includes('-red.') && !answer.text.includes('-blue.'), facts);
      }
    }
    const now = [await api.registry.getActor('-red.alice'), await readHead(api.store, '-red.alice'), reached];
    assert.deepEqual(now, before);
    assert.equal(api.node.service.programs, 0);
    for (const route of withId.filter(({ method }) => method === 'GET')) {
      assert.doesNotMatch(String((await ask(red, route)).body['code']), notThere, `${route.path}: there for its own`);
    }
    const headers = { ...headersOf(red), prefer: 'wait=10' };
    assert.equal((await api.call('POST', '/v1/actors/alice/suspend', { headers })).status, 200);
  });

  test('every route is known to be open, of the platform, a list, or about one thing', async () => {
    for (const { method, path } of await described()) {
      const kinds = [begins(path, open), begins(path, ofThePlatform), lists.includes(path), path.includes('{')];
      assert.ok(kinds.includes(true), `${method} ${path}: say what a token of one namespace may expect of it`);
      if (!begins(path, ofThePlatform) || path === '/metrics') continue;
      const place = path.replace('{id}', 'node-1');
      assert.deepEqual(
        said(await call(blue, method, place, method === 'POST' ? {} : undefined)),
        [403, 'forbidden'],
        path,
      );
    }
    const everywhere = { ...blue, namespace: '*' };
    assert.deepEqual(said(await call(everywhere, 'GET', '/v1/actors')), [404, 'namespace-not-found']);
  });

  test('no call reaches an actor of another namespace: by path, by host, by upgrade, by its qualified name', async () => {
    const before = reached;
    const refused = async (who: Who, host: string, path = '/') => {
      const answer = await api.call('GET', path, { headers: { ...headersOf(who), host } });
      assert.equal(answer.status, 404, `${host}${path}: ${answer.text}`);
    };
    for (const who of [blue, inNamespace('blue'), unbound]) {
      await refused(who, 'alice.actors.test');
      await refused(who, 'api.test', '/v1/actors/-red.alice/invoke/');
      await refused(who, 'api.test', '/v1/actors/red.alice/invoke/');
      await refused(who, '-red.alice.actors.test');
    }
    await refused(blue, 'alice.red.actors.test');
    await refused(unbound, 'alice.red.more.actors.test');
    const url = `ws://127.0.0.1:${api.port}/v1/actors/alice`;
    for (const rest of ['/exec?command=true', '/invoke/']) {
      const socket = new WebSocket(url + rest, { headers: headersOf(blue) });
      socket.on('error', () => undefined);
      const status = await new Promise((resolve) =>
        socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode)),
      );
      socket.terminate();
      assert.equal(status, 404, rest);
    }
    assert.deepEqual([reached, api.node.service.programs], [before, 0]);
  });

  test('one id in three namespaces is three actors, each reached by its own', async () => {
    for (const who of [unbound, blue]) {
      const made = await call(who, 'POST', '/v1/actors', { id: 'alice', template: 'shared' });
      assert.equal(made.status, 201, made.text);
      assert.equal(made.headers.location, '/v1/actors/alice');
    }
    assert.deepEqual(said(await call(blue, 'POST', '/v1/actors', { id: 'alice', template: 'shared' })), [
      409,
      'actor-exists',
    ]);
    const seen = await Promise.all(
      [unbound, red, blue, inNamespace('red')].map(async (who) => (await call(who, 'GET', '/v1/actors/alice')).body),
    );
    assert.deepEqual(
      seen.map(({ id, namespace, template }) => [id, namespace, template]),
      [
        ['alice', 'default', 'shared'],
        ['alice', 'red', 'own'],
        ['alice', 'blue', 'shared'],
        ['alice', 'red', 'own'],
      ],
    );
    const records = await Promise.all(['alice', '-red.alice', '-blue.alice'].map((id) => api.registry.getActor(id)));
    assert.equal(new Set(records.map((record) => record?.uid)).size, 3);
    const woken = await call(blue, 'GET', '/v1/actors/alice/invoke/by-path');
    assert.deepEqual([woken.status, woken.text], [200, 'reached /by-path']);
    const states = async () =>
      Promise.all([unbound, red, blue].map(async (who) => (await call(who, 'GET', '/v1/actors/alice')).body['state']));
    assert.deepEqual(await states(), ['suspended', 'suspended', 'running']);
    for (const who of [red, unbound]) {
      const host = { headers: { ...headersOf(who), host: 'alice.red.actors.test' } };
      assert.equal((await api.call('GET', '/by-host', host)).text, 'reached /by-host');
    }
    assert.deepEqual(await states(), ['suspended', 'running', 'running']);
  });

  test('lists show the namespace alone, page by page, whatever the cursor; all of them only to whoever is bound to none', async () => {
    for (const id of ['a', 'b', 'c']) await call(blue, 'POST', '/v1/actors', { id, template: 'shared' });
    const page = async (who: Who, query = '') => {
      const { body, text } = await call(who, 'GET', `/v1/actors?limit=2${query}`);
      assert.ok(Array.isArray(body['items']), text);
      return { ids: (body['items'] as { id: string }[]).map(({ id }) => id), next: body['nextCursor'] };
    };
    const first = await page(blue);
    assert.deepEqual(first.ids, ['a', 'alice']);
    assert.deepEqual((await page(blue, `&cursor=${String(first.next)}`)).ids, ['b', 'c']);
    assert.deepEqual((await page(blue, '&prefix=al&template=shared')).ids, ['alice']);
    assert.deepEqual((await page(red, '&template=own')).ids, ['alice']);
    assert.deepEqual((await page(red, '&template=shared')).ids, []);
    for (const cursor of ['-', '-red', '-a.z', '0', 'zz', '~']) {
      assert.ok(
        (await page(red, `&cursor=${cursor}`)).ids.every((id) => id === 'alice'),
        cursor,
      );
      const { ids: ofDefault } = await page(unbound, `&cursor=${cursor}`);
      assert.ok(
        ofDefault.every((id) => ['alice', 'root-only'].includes(id)),
        cursor,
      );
    }
    assert.deepEqual(said(await call(unbound, 'GET', '/v1/actors?prefix=-red')), [400, 'invalid-input']);
    const { items } = (await call(inNamespace('*'), 'GET', '/v1/actors')).body as { items: Record<string, string>[] };
    assert.deepEqual(
      items.map(({ namespace, id }) => `${namespace}/${id}`),
      ['blue/a', 'blue/alice', 'blue/b', 'blue/c', 'red/alice', 'default/alice', 'default/root-only'],
    );
    assert.deepEqual(said(await call(inNamespace('*'), 'POST', '/v1/actors', { template: 'shared' })), [
      400,
      'invalid-input',
    ]);
    assert.deepEqual(said(await call(inNamespace('No label'), 'GET', '/v1/actors')), [400, 'invalid-input']);
  });

  test('templates of default are shared, to be used and seen; a namespace changes its own alone, which go first', async () => {
    const names = async (who: Who, query = '') => {
      const { body } = await call(who, 'GET', `/v1/templates${query}`);
      const items = body['items'] as Record<string, string>[];
      return { names: items.map(({ namespace, name }) => `${namespace}/${name}`), next: body['nextCursor'] };
    };
    assert.deepEqual((await names(blue)).names, ['default/shared']);
    assert.deepEqual((await names(red)).names, ['red/own', 'default/shared']);
    const first = await names(red, '?limit=1');
    assert.deepEqual(first.names, ['red/own']);
    assert.deepEqual((await names(red, `?limit=1&cursor=${String(first.next)}`)).names, ['default/shared']);
    assert.deepEqual((await names(inNamespace('*'))).names, ['red/own', 'default/shared']);
    assert.deepEqual(said(await call(blue, 'DELETE', '/v1/templates/shared')), [404, 'template-not-found']);
    assert.deepEqual(said(await call(blue, 'POST', '/v1/actors', { template: 'own' })), [404, 'template-not-found']);
    const image = 'docker://registry.example/shared:1';
    const fetched = specOf('shared', { containers: [{ name: 'main', image, port: 80 }] });
    assert.equal((await call(unbound, 'POST', '/v1/templates', fetched)).body['code'], 'template-conflict');
    assert.equal((await call(red, 'POST', '/v1/templates', fetched)).status, 201);
    await prepared('-red.shared');
    const { body: made } = await call(red, 'POST', '/v1/actors', { id: 'bob', template: 'shared' });
    const { body: own } = await call(red, 'GET', '/v1/templates/shared');
    const { body: other } = await call(blue, 'GET', '/v1/templates/shared');
    assert.deepEqual([own['namespace'], other['namespace']], ['red', 'default']);
    assert.equal(made['revision'], own['revision']);
    assert.notEqual(own['revision'], other['revision']);
    assert.deepEqual((own['spec'] as { name: string }).name, 'shared');
    const same = await call(inNamespace('green'), 'POST', '/v1/templates', specOf('shared'));
    assert.notEqual(same.body['revision'], other['revision'], 'equal specifications in two namespaces share no golden');
    assert.deepEqual(said(await call(unbound, 'POST', '/v1/templates', specOf('-red.more'))), [400, 'invalid-input']);
  });

  test('a token of one namespace gives no template more reach than its own virtual machine', async () => {
    const image = 'registry.example/name:1';
    const spec = (fields: object) => specOf('far', { containers: [{ name: 'main', image, port: 80 }], ...fields });
    const far = [
      spec({ egress: { allow: ['10.0.0.0/8'] } }),
      spec({
        containers: [
          { name: 'a', image },
          { name: 'b', image: 'dir:/var/lib/image' },
        ],
      }),
      spec({ containers: [{ name: 'a', image: 'oci:/images:a' }] }),
    ];
    for (const body of far) {
      assert.deepEqual(said(await call(blue, 'POST', '/v1/templates', body)), [403, 'forbidden'], JSON.stringify(body));
    }
    assert.equal((await call(blue, 'GET', '/v1/templates/far')).status, 404);
    assert.equal((await call(inNamespace('blue'), 'POST', '/v1/templates', far[0])).status, 201);
  });

  test('events: each hears of its namespace, and of nodes only whoever is bound to none', async () => {
    using ofBlue = await readEvents(api.port, '?after=0-0', headersOf(blue));
    using ofRed = await readEvents(api.port, '?after=0-0&actor=alice', headersOf(red));
    using ofRoot = await readEvents(api.port, '?after=0-0&type=node', headersOf(unbound));
    await call(blue, 'POST', '/v1/actors', { id: 'last', template: 'shared' });
    assert.equal((await ofRoot.next())?.data['node'], 'node-1');
    assert.deepEqual(
      [(await ofRed.next())?.data].map((event) => [event?.['actor'], event?.['namespace']]),
      [['alice', 'red']],
    );
    const heard: unknown[] = [];
    for (;;) {
      const { data } = (await ofBlue.next()) ?? { data: undefined };
      assert.ok(data, 'the stream ended');
      heard.push(data['namespace']); // a node has none
      if (data['actor'] === 'last') break;
    }
    assert.deepEqual([...new Set(heard)], ['blue']);
  });

  test('the record of a bound token is none that an api without namespaces takes for one', async () => {
    const versions: unknown[] = [];
    for (const namespace of [undefined, 'red']) {
      const made = await call(unbound, 'POST', '/v1/tokens', { name: 'one', scopes: ['read'], namespace });
      const bytes = await api.store.get(`tokens/${String(made.body['id'])}.json`);
      versions.push((JSON.parse(bytes.toString()) as { formatVersion: number }).formatVersion);
    }
    assert.deepEqual(versions, [1, 2]);
  });

  test('webhooks are seen and limited by their namespace', async () => {
    const listed = async (who: Who) => {
      const { items } = (await call(who, 'GET', '/v1/webhooks')).body as {
        items: { id: string; namespace?: string }[];
      };
      return items.map(({ namespace }) => namespace);
    };
    const everywhere = await call(inNamespace('*'), 'POST', '/v1/webhooks', { url: 'http://127.0.0.1:1/all' });
    assert.equal(everywhere.status, 201);
    assert.deepEqual(await listed(blue), []);
    assert.deepEqual(await listed(red), ['red']);
    assert.deepEqual(await listed(unbound), [undefined], 'one of all namespaces is the platform’s');
    assert.deepEqual(await listed(inNamespace('*')), ['red', undefined]);
    const id = String(everywhere.body['id']);
    assert.equal((await call(red, 'DELETE', `/v1/webhooks/${id}`)).status, 404);
    assert.equal((await call(unbound, 'DELETE', `/v1/webhooks/${id}`)).status, 204);
  });

  test('a key for repeated requests says nothing in another namespace', async () => {
    const create = (who: Who) =>
      api.call('POST', '/v1/actors', {
        headers: { ...headersOf(who), 'idempotency-key': 'one' },
        body: { id: 'keyed', template: 'shared' },
      });
    const [first, again, other] = [await create(blue), await create(blue), await create(unbound)];
    assert.deepEqual([first.status, again.status, other.status], [201, 201, 201]);
    assert.equal(again.text, first.text);
    assert.deepEqual([first.body['namespace'], other.body['namespace']], ['blue', 'default']);
  });
});
