import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { PlatformEvent } from '../../shared/registry/records.ts';
import { createEventFeed, type EventFeed } from './event-feed.ts';
import { sendEvents } from './send-events.ts';

const largeEvent = (id: string): PlatformEvent => ({
  ...{ id, at: '2030-01-01T00:00:00.000Z', type: 'node', subject: 'n', from: 'ready', to: 'gone' },
  ...{ cause: 'x'.repeat(1_000_000), epoch: undefined, node: undefined, generation: undefined, phases: undefined },
});

/** A stream in memory; `endless` has a next event for whoever asks. */
function feedOf(context: TestContext, endless: boolean): EventFeed {
  const feed = createEventFeed({
    watch: () => ({ [Symbol.dispose]: () => undefined }),
    watchWakes: () => ({ [Symbol.dispose]: () => undefined }),
    readEvents(after) {
      const next = `${Number(after.split('-')[0]) + 1}-0`;
      return Promise.resolve(
        endless ? { events: [largeEvent(next)], next, gap: false } : { events: [], next: after, gap: false },
      );
    },
  });
  context.after(() => feed[Symbol.dispose]());
  return feed;
}

async function serve(context: TestContext, handle: (response: ServerResponse) => void): Promise<IncomingMessage> {
  const server: Server = createServer((_request, response) => handle(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const request = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false });
  request.on('error', () => undefined);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return answer;
}

const stopping = new AbortController().signal;

test('a reader that takes nothing is cut off', async (context) => {
  const feed = feedOf(context, true);
  const ended = Promise.withResolvers<unknown>();
  const answer = await serve(context, (response) => {
    const limits = { heartbeatMs: 60_000, takeLimitMs: 50 };
    sendEvents({ feed, stopping }, response, '0-0', { nodes: true }, limits).then(ended.resolve, ended.resolve);
  });
  answer.on('error', () => undefined);
  answer.pause();
  assert.match(String(await ended.promise), /the reader takes nothing/);
  assert.equal(feed.readers, 0);
  answer.resume();
  await new Promise((resolve) => answer.once('close', resolve));
  assert.equal(answer.complete, false, 'it was broken off, not ended');
});

test('a silent stream tells the place now and then', async (context) => {
  const feed = feedOf(context, false);
  const answer = await serve(context, (response) => {
    const limits = { heartbeatMs: 10, takeLimitMs: 60_000 };
    sendEvents({ feed, stopping }, response, '7-0', { nodes: true }, limits).catch(() => undefined);
  });
  let text = '';
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > 30) break;
  }
  assert.match(text, /^(id: 7-0\n\n){2,}/);
});
