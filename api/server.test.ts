import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { buildServer } from './server.ts';
import { startFixture, until } from './stand-in/fixture.ts';

const answerTo = async (request: http.ClientRequest): Promise<IncomingMessage> =>
  ((await once(request, 'response')) as [IncomingMessage])[0];

suite('shutdown', () => {
  test('calls under way end, new ones are refused, those that last too long are broken off', async () => {
    const held: ServerResponse[] = [];
    await using fixture = await startFixture((_request, response) => {
      response.writeHead(200);
      response.write('begun, ');
      held.push(response);
    });
    await fixture.sleeping('busy');
    const api = await buildServer(fixture.parts);
    const port = Number(new URL(await api.listen('127.0.0.1', 0)).port);
    const agent = new Agent({ keepAlive: true });
    const call = (path = '/v1/actors/busy/invoke/') => http.get({ host: '127.0.0.1', port, path, agent });

    // A connection from before the server closes, on which a call can still arrive.
    assert.equal((await answerTo(call('/healthz'))).resume().statusCode, 200);
    const [first, second] = [await answerTo(call()), await answerTo(call())];
    const events = await answerTo(call('/v1/events'));
    await until(() => held.length === 2);
    const closed = api.close(300);
    held[0]?.end('done');
    assert.equal(await text(first), 'begun, done');
    const refused = await answerTo(call()).then(
      (answer) => answer.statusCode,
      () => 'closed',
    );
    assert.ok(refused === 503 || refused === 'closed', String(refused));
    await assert.rejects(text(second), /aborted/);
    await text(events);
    await closed;
    agent.destroy();
  });
});
