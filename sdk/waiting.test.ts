import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from './client.ts';
import { startStubApi } from './stub-api.ts';

const failure = {
  code: 'image-unavailable',
  message: 'no such image',
  retryable: false,
  at: '',
  details: { log: 'x' },
};

/** An api that answers with each of these in turn, and the last one from then on. */
async function inTurn(...answers: object[]) {
  let next = 0;
  const api = await startStubApi(() => ({ body: answers[Math.min(next++, answers.length - 1)] ?? {} }));
  return { api, client: createClient({ url: api.url }) };
}

suite('waiting', () => {
  test('for a template: reports what it sees and returns it once ready', async () => {
    const { api, client } = await inTurn({ state: 'preparing' }, { state: 'preparing' }, { state: 'ready' });
    await using _api = api;
    const seen: string[] = [];
    const ready = await client.templates.waitReady('t', { onProgress: ({ state }) => seen.push(state) });
    assert.equal(ready.state, 'ready');
    assert.deepEqual(seen, ['preparing', 'preparing', 'ready']);
  });

  test('for a template that fails: throws its own error', async () => {
    const { api, client } = await inTurn({ state: 'preparing' }, { state: 'failed', error: failure });
    await using _api = api;
    await assert.rejects(client.templates.waitReady('t'), {
      code: 'image-unavailable',
      message: 'the preparation of t failed: no such image',
      details: { log: 'x' },
    });
  });

  test('for an operation: done, failed, not in time', async () => {
    const { api, client } = await inTurn({ state: 'running' }, { state: 'done', phases: { load: 2 } });
    await using _api = api;
    assert.deepEqual((await client.operations.wait('o')).phases, { load: 2 });

    const failing = await inTurn({ state: 'failed', kind: 'resume', target: 'a', error: failure });
    await using _failing = failing.api;
    await assert.rejects(failing.client.operations.wait('o'), { message: 'resume of a failed: no such image' });

    const endless = await inTurn({ state: 'queued' });
    await using _endless = endless.api;
    await assert.rejects(endless.client.operations.wait('o', { timeoutMs: 150 }), { code: 'wait-timeout' });
  });

  test('is given up when the signal aborts between two looks', async () => {
    const { api, client } = await inTurn({ state: 'queued' });
    await using _api = api;
    const abort = new AbortController();
    const reason = new Error('enough');
    const waiting = client.operations.wait('o', {
      signal: abort.signal,
      onProgress: () => queueMicrotask(() => queueMicrotask(() => abort.abort(reason))),
    });
    await assert.rejects(waiting, reason);
    assert.equal(api.lines().length, 1);
  });
});
