import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from './client.ts';
import { problem, startStubApi } from './stub-api.ts';

const done = { id: 'o', kind: 'resume', target: 'a', state: 'done' };

suite('actors', () => {
  test('a list is read page by page, and only as far as it is wanted', async () => {
    await using api = await startStubApi(({ line }) => {
      const cursor = /cursor=(\d)/.exec(line)?.[1] ?? '0';
      const next = cursor === '2' ? {} : { nextCursor: String(Number(cursor) + 1) };
      return { body: { items: [{ id: `${cursor}a` }, { id: `${cursor}b` }], ...next } };
    });
    const { actors } = createClient({ url: api.url });
    const all: string[] = [];
    for await (const { id } of actors.list({ state: 'running', label: 'x=y', limit: 2 })) all.push(id);
    assert.deepEqual(all, ['0a', '0b', '1a', '1b', '2a', '2b']);
    const query = 'state=running&label=x%3Dy&limit=2';
    assert.deepEqual(api.lines(), [
      `GET /v1/actors?${query}`,
      `GET /v1/actors?${query}&cursor=1`,
      `GET /v1/actors?${query}&cursor=2`,
    ]);
    for await (const actor of actors.list()) if (actor.id === '1a') break;
    assert.equal(api.lines().length, 5);
  });

  test('suspend and resume may let the api wait, in whole seconds', async () => {
    await using api = await startStubApi(() => ({ body: done }));
    const { actors } = createClient({ url: api.url });
    await actors.suspend('a');
    assert.deepEqual(await actors.resume('a', { node: 'node-2', waitMs: 1500 }), done);
    assert.deepEqual(
      api.requests.map(({ line, headers, body }) => [line, headers['prefer'], body]),
      [
        ['POST /v1/actors/a/suspend', undefined, '{}'],
        ['POST /v1/actors/a/resume', 'wait=2', '{"node":"node-2"}'],
      ],
    );
  });

  test('a long wait is asked in pieces until the state is there', async () => {
    let asked = 0;
    await using api = await startStubApi(() =>
      ++asked < 3 ? problem(408, 'wait-timeout') : { body: { id: 'a', state: 'running' } },
    );
    const actor = await createClient({ url: api.url }).actors.wait('a', 'running', { timeoutMs: 60_000 });
    assert.equal(actor.state, 'running');
    assert.deepEqual(new Set(api.lines()), new Set(['GET /v1/actors/a/wait?state=running&timeoutMs=20000']));
    assert.equal(asked, 3);
  });

  test('a wait ends: at its limit, and at once for any other refusal', async () => {
    await using api = await startStubApi(({ line }) =>
      line.includes('/gone/') ? problem(404, 'actor-not-found') : problem(408, 'wait-timeout'),
    );
    const { actors } = createClient({ url: api.url });
    await assert.rejects(actors.wait('a', 'running', { timeoutMs: 1 }), { code: 'wait-timeout', status: 0 });
    await assert.rejects(actors.wait('gone', 'running'), { code: 'actor-not-found', status: 404 });
  });

  test('every other call goes to its own route, with the id encoded', async () => {
    await using api = await startStubApi(({ line }) => ({ body: line.includes('generations') ? { items: [1] } : {} }));
    const { actors, operations, templates, tokens, webhooks } = createClient({ url: api.url });
    await actors.explain('a/b');
    assert.deepEqual(await actors.generations('a'), [1]);
    await actors.delete('a');
    await operations.get('o');
    await templates.delete('t');
    await tokens.revoke('1');
    await webhooks.get('2');
    await webhooks.enable('2');
    await webhooks.test('2');
    await webhooks.delete('2');
    assert.deepEqual(api.lines(), [
      'GET /v1/actors/a%2Fb/explain',
      'GET /v1/actors/a/generations',
      'DELETE /v1/actors/a',
      'GET /v1/operations/o',
      'DELETE /v1/templates/t',
      'DELETE /v1/tokens/1',
      'GET /v1/webhooks/2',
      'POST /v1/webhooks/2/enable',
      'POST /v1/webhooks/2/test',
      'DELETE /v1/webhooks/2',
    ]);
  });
});
