import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, suite, test } from 'node:test';
import { Redis } from 'ioredis';
import { readEvents, type EventReader, type ReadEvent } from '../../stand-in/event-reader.ts';
import { startFixture, type Fixture } from '../../stand-in/fixture.ts';

suite('the stream of events', () => {
  let api: Fixture;
  let redis: Redis;
  before(async () => {
    api = await startFixture((_request, response) => response.end('hello'));
    redis = new Redis(api.redisUrl);
  });
  after(async () => {
    redis.disconnect();
    await api[Symbol.asyncDispose]();
  });

  const take = async (reader: EventReader, count: number): Promise<ReadEvent[]> => {
    const events: ReadEvent[] = [];
    while (events.length < count) {
      const event = await reader.next();
      assert.ok(event, `the stream ended after ${events.length} of ${count} events`);
      events.push(event);
    }
    return events;
  };
  const moves = (events: readonly ReadEvent[]) =>
    events.map(({ data: { from, to } }) => (from === undefined ? to : `${from}>${to}`));

  test('tells each change of an actor, its template and the node with what led to it', async () => {
    using reader = await readEvents(api.port);
    assert.equal(reader.answer.headers['content-type'], 'text/event-stream; charset=utf-8');
    await api.sleeping('heard');
    const first = await take(reader, 3);
    assert.deepEqual(moves(first), ['preparing', 'preparing>ready', 'suspended']);
    assert.deepEqual(
      first.map(({ event, data }) => [event, data['type'], data['template'] ?? data['actor']]),
      [
        ['template', 'template', 't-heard'],
        ['template', 'template', 't-heard'],
        ['actor', 'actor', 'heard'],
      ],
    );
    await api.call('GET', '/v1/actors/heard/invoke/');
    await api.call('POST', '/v1/actors/heard/suspend', { headers: { prefer: 'wait=10' } });
    const [resuming, running, suspending, suspended] = await take(reader, 4);
    const { at, cause, ...facts } = { ...running?.data };
    const epoch = resuming?.data['epoch'];
    assert.match(String(epoch), /^\d+\.\d+$/);
    assert.deepEqual(facts, {
      ...{
        id: running?.id,
        type: 'actor',
        actor: 'heard',
        namespace: 'default',
        node: 'node-1',
        from: 'resuming',
        to: 'running',
      },
      ...{ epoch, generation: 0, phases: { queue: 1.5, vmm: 2 } },
    });
    assert.deepEqual([typeof at, cause], ['string', 'woke']);
    assert.deepEqual(moves([suspending, suspended].filter((event) => event !== undefined)), [
      'running>suspending',
      'suspending>suspended',
    ]);
    assert.deepEqual([suspended?.data['generation'], suspended?.data['epoch']], [1, epoch]);
    await api.call('POST', '/v1/nodes/node-1/drain');
    await api.call('POST', '/v1/nodes/node-1/undrain');
    const nodes = await take(reader, 2);
    assert.deepEqual(
      nodes.map(({ data }) => [data['node'], data['from'], data['to']]),
      [
        ['node-1', 'ready', 'draining'],
        ['node-1', 'draining', 'ready'],
      ],
    );
  });

  test('goes on after Last-Event-ID, at any api process, without a loss or a repetition', async () => {
    await api.sleeping('steady');
    using whole = await readEvents(api.port, '?actor=steady', { 'last-event-id': '0-0' });
    for (let wake = 0; wake < 2; wake++) {
      await api.call('GET', '/v1/actors/steady/invoke/');
      await api.call('POST', '/v1/actors/steady/suspend', { headers: { prefer: 'wait=10' } });
    }
    const all = await take(whole, 9);
    const half = all[3]?.id ?? '';
    using rest = await readEvents(await api.another(), '?actor=steady', { 'last-event-id': half });
    assert.deepEqual(await take(rest, 5), all.slice(4));
    using byQuery = await readEvents(api.port, `?actor=steady&after=${half}`);
    assert.deepEqual(await take(byQuery, 5), all.slice(4));
  });

  test('filters by actor and type; what is no place is refused', async () => {
    await api.sleeping('one');
    await api.sleeping('other');
    using actors = await readEvents(api.port, '?actor=other&after=0-0');
    assert.equal((await take(actors, 1))[0]?.data['actor'], 'other');
    using templates = await readEvents(api.port, '?type=template&type=node&after=0-0');
    const seen = await take(templates, 6);
    assert.ok(seen.every(({ event }) => event !== 'actor'));
    const bad = await api.call('GET', '/v1/events?after=yesterday');
    assert.deepEqual([bad.status, bad.body['code']], [400, 'invalid-input']);
    const wrong = await api.call('GET', '/v1/events', { headers: { 'last-event-id': 'x' } });
    assert.deepEqual([wrong.status, wrong.body['code']], [400, 'invalid-input']);
  });

  test('a place that was trimmed, or that Redis has lost, is a gap, and the stream goes on from there', async () => {
    await api.sleeping('gappy');
    const [oldest] = await redis.xrange('{dm}:events', '-', '+', 'COUNT', 1);
    await redis.xtrim('{dm}:events', 'MAXLEN', 2);
    using trimmed = await readEvents(api.port, '', { 'last-event-id': oldest?.[0] ?? '' });
    const [gap, next] = await take(trimmed, 2);
    assert.deepEqual([gap?.event, next?.event], ['gap', 'template']);
    using future = await readEvents(api.port, '', { 'last-event-id': '99999999999999-0' });
    assert.equal((await take(future, 1))[0]?.event, 'gap');
    await api.call('GET', '/v1/actors/gappy/invoke/');
    assert.deepEqual(moves(await take(future, 2)), ['suspended>resuming', 'resuming>running']);
  });

  test('nothing is kept for a reader that stands still: it goes on from its place, and may find a gap', async () => {
    await api.sleeping('busy');
    using slow = await readEvents(api.port);
    slow.answer.pause();
    const fill = async (): Promise<void> => {
      const pipeline = redis.pipeline();
      const cause = JSON.stringify('x'.repeat(100_000)); // so that a page is more than the sockets between the two take
      const fields = ['type', 'node', 'id', 'n', 'from', 'a', 'to', 'b', 'cause', cause];
      for (let index = 0; index < 300; index++) pipeline.xadd('{dm}:events', '*', ...fields);
      await pipeline.exec();
    };
    await fill();
    using quick = await readEvents(api.port, '?type=actor');
    await api.call('GET', '/v1/actors/busy/invoke/');
    assert.deepEqual(moves(await take(quick, 2)), ['suspended>resuming', 'resuming>running']);
    await fill();
    await redis.xtrim('{dm}:events', 'MAXLEN', 2);
    await api.call('POST', '/v1/actors/busy/suspend', { headers: { prefer: 'wait=10' } });
    slow.answer.resume();
    const seen = new Set<string | undefined>();
    for (let event = await slow.next(); event?.data['to'] !== 'suspended'; event = await slow.next()) {
      assert.ok(event);
      seen.add(event.event);
    }
    assert.ok(seen.has('gap'));
  });

  test('ends when the process stops, and when nobody reads any more', async () => {
    const fixture = await startFixture((_request, response) => response.end());
    using reader = await readEvents(fixture.port);
    const ended = once(reader.answer, 'end');
    reader.answer.resume();
    await fixture[Symbol.asyncDispose]();
    await ended;
  });
});
