import assert from 'node:assert/strict';
import http, { type IncomingMessage } from 'node:http';
import { after, before, suite, test } from 'node:test';
import fc from 'fast-check';
import { qualify } from '../../shared/actor/namespace.ts';
import { writePool } from '../../shared/registry/pool-report.ts';
import { readHead } from '../../shared/snapshot/actor-log.ts';
import { specOf, startFixture, until, type Fixture } from '../stand-in/fixture.ts';

suite('routes', () => {
  let api: Fixture;
  before(async () => {
    api = await startFixture((_request, response) => response.end('hello'));
  });
  after(() => api[Symbol.asyncDispose]());

  const post = (path: string, body: unknown, headers = {}) => api.call('POST', path, { body, headers });
  const get = (path: string) => api.call('GET', path);

  test('problems: unknown routes, bad input by field, bad JSON, wrong media type, large bodies', async () => {
    const unknown = await get('/v1/nothing');
    assert.equal(unknown.headers['content-type'], 'application/problem+json');
    assert.deepEqual([unknown.status, unknown.body['code']], [404, 'route-not-found']);
    assert.equal(unknown.body['requestId'], unknown.headers['x-request-id']);
    const bad = await post('/v1/actors', { id: 'Not A Label', template: 'x', more: 1 });
    assert.equal(bad.status, 400);
    const fields = (bad.body['errors'] as { field: string }[]).map(({ field }) => field);
    assert.ok(fields.includes('body.id'), fields.join());
    const path = '/v1/actors/UPPER';
    assert.equal(((await get(path)).body['errors'] as { field: string }[])[0]?.field, 'params.id');
    const raw = (body: string, type: string) => {
      const request = http.request({ host: '127.0.0.1', port: api.port, method: 'POST', path: '/v1/actors' });
      request.setHeader('content-type', type);
      request.end(body);
      return new Promise<number>((resolve) =>
        request.once('response', (answer: IncomingMessage) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        }),
      );
    };
    assert.equal(await raw('{"id":', 'application/json'), 400);
    assert.equal(await raw('<id/>', 'text/xml'), 415);
    assert.equal(await raw(JSON.stringify({ id: 'x'.repeat(1_100_000) }), 'application/json'), 413);
    const query = await api.call('QUERY', '/healthz');
    assert.deepEqual([query.status, query.body['code']], [400, 'invalid-input']);
    const insane = await api.call('GET', '/healthz', { headers: { 'x-request-id': 'a b"c' } });
    assert.match(String(insane.headers['x-request-id']), /^[0-9a-f-]{36}$/);
  });

  test('a template: prepared once, again the same, another specification refused, deleted when unused', async () => {
    const spec = specOf('recipe');
    const applied = await post('/v1/templates', spec);
    assert.deepEqual([applied.status, applied.body['state']], [201, 'preparing']);
    assert.equal(applied.headers.location, '/v1/templates/recipe');
    await until(async () => (await get('/v1/templates/recipe')).body['state'] === 'ready');
    assert.equal((await post('/v1/templates', spec)).status, 200);
    assert.equal((await post('/v1/templates', specOf('recipe', { memoryMiB: 512 }))).body['code'], 'template-conflict');
    assert.equal(api.node.jobs.filter((kind) => kind === 'prepare-template').length, 1);
    assert.equal((await post('/v1/actors', { id: 'eater', template: 'recipe' })).status, 201);
    assert.equal((await api.call('DELETE', '/v1/templates/recipe')).body['code'], 'template-in-use');
    await api.call('DELETE', '/v1/actors/eater', { headers: { prefer: 'wait=10' } });
    assert.equal((await api.call('DELETE', '/v1/templates/recipe')).status, 204);
    assert.equal((await get('/v1/templates/recipe')).body['code'], 'template-not-found');
  });

  test('a template that failed is prepared again', async () => {
    await post('/v1/templates', specOf('second-try'));
    await until(async () => (await api.registry.getTemplate('second-try'))?.state === 'ready');
    const record = await api.registry.getTemplate('second-try');
    assert.ok(record);
    const { descriptor: _descriptor, ...rest } = record;
    await api.registry.updateTemplate({ ...rest, state: 'failed' }, ['ready']);
    const refused = await post('/v1/actors', { id: 'too-early', template: 'second-try' });
    assert.deepEqual([refused.status, refused.body['code']], [409, 'template-failed']);
    assert.equal((await post('/v1/templates', specOf('second-try'))).status, 200);
    await until(async () => (await api.registry.getTemplate('second-try'))?.state === 'ready');
  });

  test('an actor: durable when created, its id taken, suspended, resumed, explained, deleted, created anew', async () => {
    await api.sleeping('ada');
    const head = await readHead(api.store, 'ada');
    assert.deepEqual([head.seq, head.created?.template], [1, 't-ada']);
    assert.equal((await post('/v1/actors', { id: 'ada', template: 't-ada' })).body['code'], 'actor-exists');
    assert.equal((await post('/v1/actors', { id: 'bob', template: 'nothing' })).body['code'], 'template-not-found');

    const wait = { prefer: 'wait=10' };
    const already = await post('/v1/actors/ada/suspend', {}, wait);
    assert.deepEqual([already.status, already.body['state']], [200, 'done']);
    const resumed = await post('/v1/actors/ada/resume', { node: 'node-1' }, wait);
    assert.deepEqual([resumed.status, resumed.headers['preference-applied']], [200, 'wait=10']);
    assert.equal((await get(String(resumed.headers.location))).body['state'], 'done');
    const running = await get('/v1/actors/ada');
    assert.deepEqual(
      [running.body['state'], running.body['node'], running.body['epoch']],
      ['running', 'node-1', '1.1'],
    );
    assert.equal((await post('/v1/actors/ada/resume', { node: 'node-9' })).body['code'], 'state-conflict');
    const accepted = await post('/v1/actors/ada/suspend', {});
    assert.equal(accepted.status, 202);
    const asleep = await get('/v1/actors/ada/wait?state=suspended&timeoutMs=5000');
    assert.deepEqual([asleep.status, asleep.body['generation']], [200, 1]);
    assert.equal((await get('/v1/actors/ada/wait?state=running&timeoutMs=50')).body['code'], 'wait-timeout');
    assert.equal((await post('/v1/actors/ada/resume', { node: 'node-9' })).body['code'], 'node-not-found');

    const { items } = (await get('/v1/actors/ada/generations')).body as { items: Record<string, unknown>[] };
    assert.deepEqual(
      items.map(({ generation, kind }) => [generation, kind]),
      [
        [1, 'snapshot'],
        [0, 'golden'],
      ],
    );
    assert.deepEqual(items[0]?.['sizes'], { memoryBytes: 1024, shippedBytes: 2000, changedPages: 3 });
    const why = await get('/v1/actors/ada/explain');
    const events = (why.body['events'] as { state: string }[]).map(({ state }) => state);
    assert.deepEqual(events, ['suspended', 'resuming', 'running', 'suspending', 'suspended']);

    const deleted = await api.call('DELETE', '/v1/actors/ada', { headers: wait });
    assert.equal(deleted.status, 200);
    assert.equal((await get('/v1/actors/ada')).body['code'], 'actor-not-found');
    assert.equal((await post('/v1/actors', { id: 'ada', template: 't-ada' })).status, 201);
    assert.equal((await readHead(api.store, 'ada')).seq, 4);
  });

  test('a creation that was cut off after its log entry is finished by the same request', async () => {
    await api.sleeping('first');
    const record = await api.registry.getActor('first');
    assert.ok(record);
    const forget = async (): Promise<void> => {
      await api.registry.transition({
        id: 'first',
        from: ['suspended'],
        to: 'deleting',
        deadlineMs: 1000,
        reason: 'lost',
      });
      await api.registry.removeActor('first', record.uid);
    };
    await forget();
    const other = await post('/v1/actors', { id: 'first', template: 't-first', labels: { a: 'b' } });
    assert.deepEqual([other.status, other.body['code']], [409, 'actor-exists']);
    assert.deepEqual((await api.registry.getActor('first'))?.labels, {}, 'the registry knows it again');
    await forget();
    assert.equal((await post('/v1/actors', { id: 'first', template: 't-first' })).status, 201);
    assert.equal((await api.registry.getActor('first'))?.uid, record.uid);
    assert.equal((await readHead(api.store, 'first')).seq, 1);
  });

  test('lists: pages and filters', async () => {
    await api.sleeping('list-a');
    for (const id of ['list-b', 'list-c'])
      await post('/v1/actors', { id, template: 't-list-a', labels: { tier: 'x' } });
    const page = await get('/v1/actors?template=t-list-a&limit=2');
    const ids = (answer: typeof page) => (answer.body['items'] as { id: string }[]).map(({ id }) => id);
    assert.deepEqual(ids(page), ['list-a', 'list-b']);
    assert.deepEqual(ids(await get(`/v1/actors?template=t-list-a&cursor=${String(page.body['nextCursor'])}`)), [
      'list-c',
    ]);
    assert.deepEqual(ids(await get('/v1/actors?label=tier%3Dx')), ['list-b', 'list-c']);
    assert.equal((await get('/v1/actors?stat=running')).status, 400);
    assert.deepEqual(ids(await get('/v1/actors?label=constructor')), [], 'no label that nobody set');
    const anything = fc.oneof(fc.string(), fc.constantFrom('\0', '[', '(', '+', '-', '__proto__', '-1', '1e9', 'NaN'));
    await fc.assert(
      fc.asyncProperty(anything, anything, anything, async (cursor, limit, label) => {
        const query = new URLSearchParams({ cursor, limit, label }).toString();
        const { status, body } = await get(`/v1/actors?${query}`);
        assert.ok(status === 200 || (status === 400 && body['code'] === 'invalid-input'), `${query} gives ${status}`);
        const { status: ofCursor } = await get(`/v1/actors?cursor=${encodeURIComponent(cursor)}`);
        assert.ok(ofCursor === 200 || ofCursor === 400, `${cursor} gives ${ofCursor}`);
      }),
      { numRuns: 50 },
    );
    const made = await post('/v1/actors', { template: 't-list-a' });
    assert.match(String(made.body['id']), /^[a-z]+-[a-z]+-[a-z0-9]{8}$/);
  });

  test('Idempotency-Key: the same answer once more, another body refused, and the work done once', async () => {
    await api.sleeping('keyed');
    const key = { 'idempotency-key': 'k-1' };
    const body = { template: 't-keyed', labels: { a: 'b' } };
    const first = await post('/v1/actors', body, key);
    const again = await post('/v1/actors', body, key);
    assert.deepEqual([first.status, again.status, again.text], [201, 201, first.text]);
    assert.equal(again.headers.location, first.headers.location);
    const reused = await post('/v1/actors', { template: 't-keyed' }, key);
    assert.deepEqual([reused.status, reused.body['code']], [422, 'idempotency-key-reused']);
    const crowd = await Promise.all(
      Array.from({ length: 10 }, () => post('/v1/actors', body, { 'idempotency-key': 'k-2' })),
    );
    const made = new Set(crowd.filter(({ status }) => status === 201).map(({ body: { id } }) => id));
    assert.equal(made.size, 1);
    assert.ok(crowd.every(({ status }) => status === 201 || status === 409));
  });

  test('nodes, health, description, errors', async () => {
    const nodes = (await get('/v1/nodes')).body['items'] as Record<string, unknown>[];
    assert.ok(nodes[0]);
    assert.equal(nodes[0]['id'], 'node-1');
    assert.deepEqual(nodes[0]['pool'], []);
    const { bootId = '' } = (await api.registry.getNode('node-1')) ?? {};
    const share = { template: 'counter', revision: 'r', ready: 2, making: 1 };
    await writePool(api.registry, { id: 'node-1', bootId }, [share, { ...share, template: qualify('red', 'counter') }]);
    assert.deepEqual(((await get('/v1/nodes')).body['items'] as Record<string, unknown>[])[0]?.['pool'], [
      { ...share, namespace: 'default' },
      { ...share, namespace: 'red' },
    ]);
    for (const secret of ['ingressUrl', 'nodeServiceUrl', 'passKey']) assert.equal(nodes[0][secret], undefined);
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/readyz')).body['status'], 'ready');
    const drained = await api.call('POST', '/v1/nodes/node-1/drain');
    assert.deepEqual([drained.status, drained.body['state']], [202, 'draining']);
    const ready = await get('/readyz');
    assert.deepEqual([ready.status, ready.body['missing']], [503, ['nodes']]);
    const undrained = await api.call('POST', '/v1/nodes/node-1/undrain');
    assert.deepEqual([undrained.status, undrained.body['state']], [200, 'ready']);
    assert.equal((await get('/readyz')).status, 200);
    for (const verb of ['drain', 'undrain']) {
      assert.equal((await api.call('POST', `/v1/nodes/none/${verb}`)).body['code'], 'node-not-found');
    }
    const openapi = await get('/openapi.json');
    assert.match(String(openapi.body['openapi']), /^3\.1/);
    const paths = Object.keys(openapi.body['paths'] as object);
    for (const path of [
      '/v1/actors',
      '/v1/actors/{id}/invoke/{path}',
      '/v1/templates/{name}',
      '/v1/nodes/{id}/drain',
      '/v1/nodes/{id}/undrain',
    ]) {
      assert.ok(paths.includes(path), path);
    }
    const docs = await get('/docs');
    assert.equal(docs.status, 200);
    assert.ok(!/https?:\/\//.test(docs.text), 'nothing from another host');
    assert.equal((await get('/errors/no-capacity')).body['retryable'], true);
    assert.equal(
      (await get('/v1/operations/00000000-0000-4000-8000-000000000000')).body['code'],
      'operation-not-found',
    );
  });
});
