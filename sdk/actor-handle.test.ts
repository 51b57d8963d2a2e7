import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from './client.ts';
import { problem, startStubApi } from './stub-api.ts';

suite('a handle on an actor', () => {
  test('takes a request as it is: method, headers, body', async () => {
    await using api = await startStubApi(({ body }) => ({ body: `echo ${body}` }));
    const headers = { 'content-type': 'text/x' };
    const request = new Request('http://any.host/a/b?c=d', { method: 'PUT', headers, body: 'hello' });
    const response = await createClient({ url: api.url }).actor('alice').fetch(request);
    assert.equal(await response.text(), 'echo hello');
    const [seen] = api.requests;
    assert.deepEqual([seen?.line, seen?.headers['content-type']], ['PUT /v1/actors/alice/invoke/a/b?c=d', 'text/x']);
  });

  test('puts its actor to sleep at the end of a scope, or deletes it, also after an error', async () => {
    await using api = await startStubApi(({ line }) => ({ body: line === 'POST /v1/actors' ? { id: 'made' } : {} }));
    const client = createClient({ url: api.url });
    {
      await using alice = client.actor('alice');
      await alice.fetch('/');
    }
    const failing = async (): Promise<void> => {
      await using _made = await client.temporary({ template: 't' });
      throw new Error('a bug');
    };
    await assert.rejects(failing, /a bug/);
    assert.deepEqual(api.lines(), [
      'GET /v1/actors/alice/invoke/',
      'POST /v1/actors/alice/suspend',
      'POST /v1/actors',
      'DELETE /v1/actors/made',
    ]);
  });

  test('an actor that is gone needs no end', async () => {
    await using api = await startStubApi(() => problem(404, 'actor-not-found'));
    await createClient({ url: api.url }).actor('gone')[Symbol.asyncDispose]();
    assert.deepEqual(api.lines(), ['POST /v1/actors/gone/suspend']);
  });
});
