import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from './client.ts';
import { problem, startStubApi } from './stub-api.ts';

const started = { 'dormouse-start': 'warm' };

suite('calls to an actor', () => {
  test('path, method, headers and a streamed body arrive', async () => {
    await using api = await startStubApi(({ body }) => ({ headers: started, body: `got ${body}` }));
    const body = ReadableStream.from(['a', 'b']).pipeThrough(new TextEncoderStream());
    const headers = { 'x-mine': '1' };
    const response = await createClient({ url: api.url, token: 's' })
      .actor('alice')
      .fetch('/x?y=1', { method: 'PUT', body, headers });
    assert.equal(await response.text(), 'got ab');
    assert.equal(response.headers.get('dormouse-start'), 'warm');
    const [request] = api.requests;
    assert.equal(request?.line, 'PUT /v1/actors/alice/invoke/x?y=1');
    assert.deepEqual([request.headers['x-mine'], request.headers.authorization], ['1', 'Bearer s']);
  });

  test("an Authorization of the caller's own reaches the actor beside the token", async () => {
    await using api = await startStubApi(() => ({ headers: started }));
    const actor = createClient({ url: api.url, token: 's' }).actor('alice');
    await actor.fetch('/', { headers: { authorization: 'Basic abc' } });
    const { authorization, 'dormouse-token': token } = api.requests[0]?.headers ?? {};
    assert.deepEqual([authorization, token], ['Basic abc', 's']);
  });

  test("an actor's own errors and redirects are answers", async () => {
    const problemOfItsOwn = { ...problem(500, 'mine'), headers: { ...problem(500, 'mine').headers, ...started } };
    await using api = await startStubApi(({ line }) =>
      line.endsWith('/moved') ? { status: 302, headers: { ...started, location: '/elsewhere' } } : problemOfItsOwn,
    );
    const actor = createClient({ url: api.url }).actor('alice');
    assert.equal((await actor.fetch('/')).status, 500);
    assert.equal((await actor.fetch('/moved')).headers.get('location'), '/elsewhere');
    assert.equal(api.lines().length, 2);
  });

  test("Dormouse's refusal is thrown", async () => {
    await using api = await startStubApi(() => problem(504, 'wake-timeout', { retryable: true }));
    await assert.rejects(createClient({ url: api.url }).actor('alice').fetch(), { code: 'wake-timeout', status: 504 });
  });
});
