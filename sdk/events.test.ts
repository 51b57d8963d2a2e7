import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from './client.ts';
import { problem, startStubApi } from './stub-api.ts';

const change = { type: 'actor', id: '1-0', actor: 'a', to: 'running' };
const sent = (data: string) => `event: change\ndata: ${data}\n\n`;

suite('events', () => {
  test('changes come as they happen; what is no change is passed over', async () => {
    await using api = await startStubApi(() => ({
      headers: { 'content-type': 'text/event-stream' },
      // Ends only when the reader leaves: the loop below must see the change before that.
      stream: (async function* () {
        yield ': hello\n\n' + sent('not json') + sent('{"other":1}') + sent(JSON.stringify(change));
        await new Promise(() => undefined);
      })(),
    }));
    const seen: unknown[] = [];
    for await (const event of createClient({ url: api.url }).events.watch({ after: '0-9', actor: 'a' })) {
      seen.push(event);
      break;
    }
    assert.deepEqual(seen, [change]);
    const { line, headers } = { ...api.requests[0] };
    assert.equal(line, 'GET /v1/events?actor=a');
    assert.deepEqual([headers?.accept, headers?.['last-event-id']], ['text/event-stream', '0-9']);
  });

  test('a stream that ended is opened again, after the last place that was told', async () => {
    const bodies = [
      'id: 1-0\ndata: {"type":"node","to":"ready"}\n\nid: 2-0\n\n',
      'data: {"type":"node","to":"gone"}\n\n',
    ];
    await using api = await startStubApi(() => ({
      stream: (async function* () {
        yield await Promise.resolve(bodies.shift() ?? '');
      })(),
    }));
    const seen: unknown[] = [];
    for await (const { to } of createClient({ url: api.url }).events.watch()) {
      seen.push(to);
      if (to === 'gone') break;
    }
    assert.deepEqual(seen, ['ready', 'gone']);
    assert.deepEqual(
      api.requests.map(({ headers }) => headers['last-event-id']),
      [undefined, '2-0'],
    );
  });

  test('a refusal that no retry can help ends it', async () => {
    await using api = await startStubApi(() => problem(401, 'unauthorized'));
    await assert.rejects(createClient({ url: api.url }).events.watch()[Symbol.asyncIterator]().next(), {
      code: 'unauthorized',
    });
    assert.equal(api.requests.length, 1);
  });

  test('an aborted stream throws the reason', async () => {
    await using api = await startStubApi(() => ({
      stream: (async function* () {
        yield sent(JSON.stringify(change));
        await new Promise(() => undefined);
      })(),
    }));
    const abort = new AbortController();
    const reason = new Error('enough');
    const reading = (async () => {
      for await (const _ of createClient({ url: api.url }).events.watch({ signal: abort.signal })) abort.abort(reason);
    })();
    await assert.rejects(reading, reason);
  });
});
