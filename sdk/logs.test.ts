import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from './client.ts';
import { problem, startStubApi } from './stub-api.ts';

const line = (sequence: number) => ({
  sequence: String(sequence),
  at: '',
  container: 'main',
  stream: 'stdout',
  text: '',
});
const sent = (...sequences: number[]): string =>
  sequences.map((n) => `id: ${n}-0\nevent: line\ndata: ${JSON.stringify(line(n))}\n\n`).join('');

suite('logs', () => {
  test('following goes on after the last line, and ends when the actor is gone', async () => {
    const bodies = [sent(4, 5), sent(6)];
    await using api = await startStubApi(({ line: asked }) => {
      if (asked === 'GET /v1/actors/a') return { body: { id: 'a' } };
      const body = bodies.shift();
      return body === undefined ? problem(404, 'actor-not-found') : { body };
    });
    const seen: string[] = [];
    const logs = createClient({ url: api.url }).actor('a').logs({ follow: true, tail: 2 });
    for await (const { sequence } of logs) seen.push(sequence);
    assert.deepEqual(seen, ['4', '5', '6']);
    assert.deepEqual(
      api.requests.slice(1).map(({ line: asked, headers }) => [asked, headers['last-event-id']]),
      [
        ['GET /v1/actors/a/logs?follow=true&tail=2', undefined],
        ['GET /v1/actors/a/logs?follow=true', '5-0'],
        ['GET /v1/actors/a/logs?follow=true', '6-0'],
      ],
    );
  });

  test('an actor that was never there is an error', async () => {
    await using api = await startStubApi(() => problem(404, 'actor-not-found'));
    for (const follow of [true, false]) {
      const logs = createClient({ url: api.url }).actor('a').logs({ follow });
      await assert.rejects(logs[Symbol.asyncIterator]().next(), { code: 'actor-not-found' });
    }
  });
});
