import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from './client.ts';
import { problem, startStubApi, type StubAnswer } from './stub-api.ts';

/** Answers with each in turn, the last one again and again. */
async function answering(...answers: [StubAnswer, ...StubAnswer[]]) {
  const left = [...answers];
  return startStubApi(() => (left.length > 1 ? left.shift() : left[0]) ?? {});
}
const busy = (facts: object = {}): StubAnswer => problem(503, 'no-capacity', { retryable: true, ...facts });
const found: StubAnswer = { body: { id: 'a' } };

suite('retries', () => {
  test('a call that may be repeated is, after as long as it was told to wait', async () => {
    await using api = await answering(busy({ retryAfterMs: 1 }), { status: 502, body: 'proxy' }, found);
    assert.deepEqual(await createClient({ url: api.url }).actors.get('a'), { id: 'a' });
    assert.equal(api.requests.length, 3);
  });

  test('a POST is repeated with one key', async () => {
    await using api = await answering(busy(), { status: 201, body: { id: 'a' } });
    await createClient({ url: api.url }).actors.create({ template: 't' });
    const [first, second] = api.requests.map(({ headers }) => headers['idempotency-key']);
    assert.ok(first !== undefined && first === second, String(first));
  });

  test('attempts are bounded, and none are made where they cannot help or would come too late', async () => {
    for (const [answer, retries, requests] of [
      [busy({ retryAfterMs: 0 }), undefined, 3],
      [busy({ retryAfterMs: 0 }), 1, 2],
      [busy(), 0, 1],
      [busy({ retryAfterMs: 3_600_000 }), undefined, 1],
      [problem(409, 'state-conflict'), undefined, 1],
    ] as const) {
      await using api = await answering(answer);
      await assert.rejects(createClient({ url: api.url, retries }).actors.get('a'), { name: 'DormouseApiError' });
      assert.equal(api.requests.length, requests);
    }
  });

  test('neither a call to an actor nor a program in it is done twice', async () => {
    await using api = await answering(busy({ retryAfterMs: 0 }));
    const actor = createClient({ url: api.url }).actor('a');
    await assert.rejects(actor.fetch('/'), { code: 'no-capacity' });
    await assert.rejects(actor.exec({ command: 'pay' }), { code: 'no-capacity' });
    assert.equal(api.requests.length, 2);
  });

  test('a pause ends with the signal', async () => {
    await using api = await answering(busy({ retryAfterMs: 9000 }));
    const reason = new Error('enough');
    const abort = new AbortController();
    const call = createClient({ url: api.url }).actors.get('a', { signal: abort.signal });
    while (api.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    abort.abort(reason);
    await assert.rejects(call, reason);
  });
});
