import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { DormouseApiError } from './api-error.ts';
import { createClient } from './client.ts';
import { problem, startStubApi, type StubAnswer } from './stub-api.ts';

async function errorFor(answer: StubAnswer): Promise<DormouseApiError> {
  await using api = await startStubApi(() => answer);
  const outcome: unknown = await createClient({ url: api.url })
    .actors.get('a')
    .catch((error: unknown) => error);
  assert.ok(outcome instanceof DormouseApiError);
  return outcome;
}

suite('transport', () => {
  test('sends the token, JSON and the idempotency key, and keeps a path prefix', async () => {
    await using api = await startStubApi(() => ({ status: 201, body: { id: 'a' } }));
    const client = createClient({ url: `${api.url}/prefix/`, token: 'secret' });
    await client.actors.create({ id: 'a', template: 't', coldStart: true }, { idempotencyKey: 'k' });
    const [request] = api.requests;
    assert.equal(request?.line, 'POST /prefix/v1/actors');
    assert.equal(request.headers.authorization, 'Bearer secret');
    assert.equal(request.headers['content-type'], 'application/json');
    assert.equal(request.headers['idempotency-key'], 'k');
    assert.deepEqual(JSON.parse(request.body), { id: 'a', template: 't', coldStart: true });
  });

  test('a namespace goes with every request, to the api and to an actor', async () => {
    await using api = await startStubApi(() => ({ body: { items: [] } }));
    const client = createClient({ url: api.url, namespace: 'red' });
    await client.actors.get('a');
    await client.actor('a').fetch('/x', { headers: { authorization: 'Basic of-the-actor' } });
    await createClient({ url: api.url }).actors.get('a');
    const named = api.requests.map(({ headers }) => headers['dormouse-namespace']);
    assert.deepEqual(named, ['red', 'red', undefined]);
  });

  test('a refusal carries every fact of its problem document', async () => {
    const error = await errorFor(
      problem(429, 'too-many-pending', {
        detail: 'too many wait',
        retryable: true,
        retryAfterMs: 250,
        errors: [{ field: 'id', message: 'bad' }],
        details: { waiting: 3 },
        nextStep: 'Try later.',
      }),
    );
    const { message, status, code, retryable, retryAfterMs, nextStep, requestId, errors, details } = error;
    assert.deepEqual([message, status, code, retryable], ['too many wait', 429, 'too-many-pending', true]);
    assert.deepEqual([retryAfterMs, nextStep, requestId], [250, 'Try later.', 'r-1']);
    assert.deepEqual([errors, details], [[{ field: 'id', message: 'bad' }], { waiting: 3 }]);
  });

  test('an answer of something in between is named as such', async () => {
    const headers = { 'retry-after': '2', 'x-request-id': 'r-9' };
    const error = await errorFor({ status: 502, headers, body: '<h1>Bad gateway</h1>' });
    assert.equal(error.code, 'unexpected-answer');
    assert.match(error.message, /HTTP 502.*Bad gateway/);
    assert.deepEqual([error.retryable, error.retryAfterMs, error.requestId], [true, 2000, 'r-9']);
  });

  test('a 200 that is not JSON is an error, not a crash', async () => {
    assert.equal((await errorFor({ body: 'welcome' })).code, 'unexpected-answer');
  });

  test('says where nothing listens, and why', async () => {
    const api = await startStubApi(() => ({}));
    await api[Symbol.asyncDispose]();
    await assert.rejects(createClient({ url: api.url }).nodes.list(), (error: unknown) => {
      assert.ok(error instanceof DormouseApiError);
      assert.deepEqual([error.code, error.status, error.retryable], ['api-unreachable', 0, true]);
      assert.ok(error.message.includes(api.url) && error.message.includes('ECONNREFUSED'), error.message);
      return true;
    });
  });

  test('an answer cut off in its middle is not taken for whole', async () => {
    await using api = await startStubApi(() => ({
      stream: (async function* () {
        yield await Promise.resolve('{"items":[');
        throw new Error('the api died');
      })(),
    }));
    await assert.rejects(createClient({ url: api.url }).nodes.list(), { code: 'api-unreachable' });
  });

  test('an aborted call throws the reason of its signal', async () => {
    const abort = new AbortController();
    const reason = new Error('changed my mind');
    await using api = await startStubApi(() => {
      abort.abort(reason);
      return new Promise(() => undefined);
    });
    await assert.rejects(createClient({ url: api.url }).actors.get('a', { signal: abort.signal }), reason);
  });

  test('another fetch is used when it is given', async () => {
    const urls: unknown[] = [];
    const fetch = (url: unknown) => {
      urls.push(url);
      return Promise.resolve(Response.json({ items: [] }));
    };
    await createClient({ url: 'http://nowhere.invalid', fetch }).nodes.list();
    assert.deepEqual(urls, ['http://nowhere.invalid/v1/nodes']);
  });
});
