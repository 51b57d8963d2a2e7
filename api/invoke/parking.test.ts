import assert from 'node:assert/strict';
import http from 'node:http';
import { suite, test } from 'node:test';
import { readHead } from '../../shared/snapshot/actor-log.ts';
import { takeWantedRoom } from '../../shared/registry/wanted-room.ts';
import { startReaper } from '../scheduler/reaper.ts';
import { standInRuntime, startStandInNode } from '../stand-in/node.ts';
import { startFixture, until, type Fixture } from '../stand-in/fixture.ts';

const serve: http.RequestListener = (_request, response) => response.end('hello');
const oneSlot = () => startFixture(serve, { slots: 1, maxParked: 2 });

const invoke = (api: Fixture, id: string) => api.call('GET', `/v1/actors/${id}/invoke/`);
const stateOf = async (api: Fixture, id: string) => (await api.registry.getActor(id))?.state;
const sleep = async (api: Fixture, id: string): Promise<void> => {
  assert.equal((await api.call('POST', `/v1/actors/${id}/suspend`, { headers: { prefer: 'wait=10' } })).status, 200);
};
/** Another node: nobody is behind it unless `worker` says so. */
const announce = (api: Fixture, id: string, ingressUrl = 'http://127.0.0.1:1') =>
  api.registry.announceNode(
    {
      ...{ id, bootId: 'b', state: 'ready', ingressUrl, runtime: standInRuntime },
      ...{ slots: 8, memoryMiB: 4096, startedAt: new Date().toISOString() },
    },
    60_000,
  );

async function runningOn(api: Fixture, id: string, node: string): Promise<string> {
  const claim = await api.registry.claim(id, node, 60_000, 'test');
  assert.equal(claim.outcome, 'claimed');
  const { epoch } = claim;
  await api.registry.transition({ id, from: ['resuming'], to: 'running', epoch, reason: 'test' });
  return epoch;
}

suite('calls without room', () => {
  test('wait in the order they came, and are served as room comes', async () => {
    await using api = await oneSlot();
    for (const id of ['holder', 'early', 'late']) await api.sleeping(id);
    assert.equal((await invoke(api, 'holder')).status, 200);
    const early = invoke(api, 'early');
    await until(async () => /1 call waits/.test((await api.call('GET', '/v1/actors/early/explain')).text));
    const isWanted = () => takeWantedRoom(api.registry, 'node-1');
    await until(isWanted); // idle actors of the node make room
    await until(isWanted); // and again, as long as somebody waits
    const late = invoke(api, 'late');
    await until(async () => /1 call waits/.test((await api.call('GET', '/v1/actors/late/explain')).text));
    await sleep(api, 'holder');
    assert.equal((await early).status, 200);
    assert.equal(await stateOf(api, 'late'), 'suspended', 'there was room for one');
    await sleep(api, 'early');
    assert.equal((await late).status, 200);
  });

  test('of several templates take turns: one that came late with one call is not behind all of another', async () => {
    await using api = await startFixture(serve, { slots: 1, maxParked: 8 });
    await api.sleeping('holder');
    await api.sleeping('lone');
    await api.sleeping('burst-1');
    for (const id of ['burst-2', 'burst-3']) {
      await api.call('POST', '/v1/actors', { body: { id, template: 't-burst-1' } });
    }
    assert.equal((await invoke(api, 'holder')).status, 200);
    const calls = new Map<string, ReturnType<typeof invoke>>();
    for (const id of ['burst-1', 'burst-2', 'burst-3', 'lone']) {
      calls.set(id, invoke(api, id));
      await until(async () => /1 call waits/.test((await api.call('GET', `/v1/actors/${id}/explain`)).text));
    }
    const order = ['holder', 'burst-1', 'lone', 'burst-2', 'burst-3'];
    for (const [index, next] of order.entries()) {
      if (index > 0) assert.equal((await calls.get(next))?.status, 200);
      for (const later of order.slice(index + 1)) assert.equal(await stateOf(api, later), 'suspended', later);
      await sleep(api, next);
    }
  });

  test('of one template take three quarters of the places, and leave the rest to others', async () => {
    await using api = await startFixture(serve, { slots: 1, maxParked: 4 });
    for (const id of ['holder', 'lone', 'burst-1']) await api.sleeping(id);
    const burst = ['burst-1', 'burst-2', 'burst-3', 'burst-4'];
    for (const id of burst.slice(1)) await api.call('POST', '/v1/actors', { body: { id, template: 't-burst-1' } });
    assert.equal((await invoke(api, 'holder')).status, 200);
    const parked: ReturnType<typeof invoke>[] = [];
    for (const id of ['burst-1', 'burst-2', 'burst-3', 'lone']) {
      if (id === 'lone') assert.equal((await invoke(api, 'burst-4')).body['code'], 'too-many-parked');
      parked.push(invoke(api, id));
      await until(async () => /1 call waits/.test((await api.call('GET', `/v1/actors/${id}/explain`)).text));
    }
    for (const id of ['holder', 'burst-1', 'lone', 'burst-2', 'burst-3']) {
      await until(async () => (await stateOf(api, id)) === 'running');
      await sleep(api, id);
    }
    for (const call of parked) assert.equal((await call).status, 200);
  });

  test('of one template leave a place to another namespace that shares it', async () => {
    await using api = await startFixture(serve, { slots: 1, maxParked: 4 });
    for (const id of ['holder', 'burst-1']) await api.sleeping(id);
    for (const id of ['burst-2', 'burst-3', 'burst-4']) {
      await api.call('POST', '/v1/actors', { body: { id, template: 't-burst-1' } });
    }
    const headers = { 'dormouse-namespace': 'other' };
    await api.call('POST', '/v1/actors', { body: { id: 'lone', template: 't-burst-1' }, headers });
    assert.equal((await invoke(api, 'holder')).status, 200);
    const parked: ReturnType<typeof invoke>[] = [];
    for (const id of ['burst-1', 'burst-2', 'burst-3']) {
      parked.push(invoke(api, id));
      await until(async () => /1 call waits/.test((await api.call('GET', `/v1/actors/${id}/explain`)).text));
    }
    assert.equal((await invoke(api, 'burst-4')).body['code'], 'too-many-parked');
    const lone = api.call('GET', '/v1/actors/lone/invoke/', { headers });
    const why = () => api.call('GET', '/v1/actors/lone/explain', { headers });
    await until(async () => /1 call waits/.test((await why()).text));
    for (const id of ['holder', 'burst-1']) {
      await until(async () => (await stateOf(api, id)) === 'running');
      await sleep(api, id);
    }
    assert.equal((await lone).status, 200, 'it is not behind all of the others');
    assert.equal((await api.call('POST', '/v1/actors/lone/suspend', { headers })).status, 202);
    for (const id of ['burst-2', 'burst-3']) {
      await until(async () => (await stateOf(api, id)) === 'running');
      await sleep(api, id);
    }
    for (const call of parked) assert.equal((await call).status, 200);
  });

  test('past the wake limit: 503 with Retry-After; too many: 429; who leaves frees the place', async () => {
    await using api = await oneSlot();
    await api.sleeping('holder');
    for (const id of ['a', 'b', 'c']) await api.sleeping(id, { wakeTimeoutMs: 2000 });
    assert.equal((await invoke(api, 'holder')).status, 200);
    const path = '/v1/actors/a/invoke/';
    const leaver = http.get({ host: '127.0.0.1', port: api.port, path, agent: false });
    leaver.on('error', () => undefined);
    const patient = invoke(api, 'b');
    for (const id of ['a', 'b']) {
      await until(async () => /1 call waits/.test((await api.call('GET', `/v1/actors/${id}/explain`)).text));
    }
    const refused = await invoke(api, 'c');
    assert.deepEqual([refused.status, refused.body['code']], [429, 'too-many-parked']);
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    leaver.destroy();
    await until(async () => /a call, or a resume/.test((await api.call('GET', '/v1/actors/a/explain')).text));
    const [parked, told] = [await invoke(api, 'c'), await patient];
    for (const answer of [parked, told]) {
      assert.deepEqual([answer.status, answer.body['code']], [503, 'no-capacity'], answer.text);
      assert.match(String(answer.body['detail']), /node-1: all 1 slots are taken/);
      assert.ok(Number(answer.headers['retry-after']) >= 1);
    }
  });

  test('a resume that a user asked for waits as an operation, behind the calls that wait already', async () => {
    await using api = await oneSlot();
    for (const id of ['holder', 'call', 'asked']) await api.sleeping(id);
    assert.equal((await invoke(api, 'holder')).status, 200);
    const call = invoke(api, 'call');
    await until(async () => /1 call waits/.test((await api.call('GET', '/v1/actors/call/explain')).text));
    const accepted = await api.call('POST', '/v1/actors/asked/resume');
    assert.deepEqual([accepted.status, accepted.body['state']], [202, 'queued'], accepted.text);
    await sleep(api, 'holder');
    assert.equal((await call).status, 200);
    assert.equal(await stateOf(api, 'asked'), 'suspended', 'there was room for one');
    await sleep(api, 'call');
    const operation = () => api.call('GET', `/v1/operations/${String(accepted.body['id'])}`);
    await until(async () => (await operation()).body['state'] === 'done');
    assert.equal(await stateOf(api, 'asked'), 'running');
  });

  test('a resume for which no room comes has failed at the wake limit; one on a named node is refused at once', async () => {
    await using api = await oneSlot();
    await api.sleeping('holder');
    for (const id of ['a', 'b', 'c']) await api.sleeping(id, { wakeTimeoutMs: 1000 });
    assert.equal((await invoke(api, 'holder')).status, 200);
    const named = await api.call('POST', '/v1/actors/c/resume', { body: { node: 'node-1' } });
    assert.deepEqual([named.status, named.body['code']], [503, 'no-capacity']);
    const [first, second] = await Promise.all(['a', 'b'].map((id) => api.call('POST', `/v1/actors/${id}/resume`)));
    assert.deepEqual([first?.status, second?.status], [202, 202]);
    const third = await api.call('POST', '/v1/actors/c/resume');
    assert.deepEqual([third.status, third.body['code']], [429, 'too-many-parked']);
    const operation = async () => api.registry.getOperation(String(first?.body['id']));
    await until(async () => (await operation())?.state === 'failed');
    assert.equal((await operation())?.error?.code, 'no-capacity');
    const waited = await api.call('POST', '/v1/actors/c/resume', { headers: { prefer: 'wait=20' } });
    assert.deepEqual([waited.status, waited.body['code']], [503, 'no-capacity']);
    assert.equal(await stateOf(api, 'a'), 'suspended');
  });

  test('a node that joins brings room', async () => {
    await using api = await oneSlot();
    for (const id of ['holder', 'waiter']) await api.sleeping(id);
    assert.equal((await invoke(api, 'holder')).status, 200);
    const waiter = invoke(api, 'waiter');
    await until(async () => /1 call waits/.test((await api.call('GET', '/v1/actors/waiter/explain')).text));
    const { registry, store, redisUrl } = api;
    await using _second = await startStandInNode({ id: 'node-2', redisUrl, registry, store, serve });
    assert.equal((await waiter).status, 200);
    assert.equal((await registry.getActor('waiter'))?.node, 'node-2');
  });

  test('a snapshot that no node can load is refused at once, with what differs', async () => {
    await using api = await startFixture(serve);
    await api.sleeping('foreign');
    const epoch = await runningOn(api, 'foreign', 'node-1');
    const move = { id: 'foreign', epoch, reason: 'test' } as const;
    await api.registry.transition({ ...move, from: ['running'], to: 'suspending', deadlineMs: 60_000 });
    const runtime = { ...standInRuntime, kernel: '5' };
    await api.registry.transition({ ...move, from: ['suspending'], to: 'suspended', update: { runtime } });
    const answer = await invoke(api, 'foreign');
    assert.deepEqual([answer.status, answer.body['code']], [409, 'incompatible']);
    assert.match(String(answer.body['detail']), /node-1: incompatible: kernel: needs 5, has 6/);
    assert.equal(await stateOf(api, 'foreign'), 'suspended', 'no job was placed');
  });
});

suite('calls to paused actors and dead nodes', () => {
  test('pause, pause again, a call that wakes it on its node; without room there it waits', async () => {
    await using api = await startFixture(serve, { slots: 1 });
    for (const id of ['resting', 'other']) await api.sleeping(id);
    const pause = () => api.call('POST', '/v1/actors/resting/pause', { headers: { prefer: 'wait=10' } });
    assert.deepEqual([(await pause()).status, (await pause()).body['code']], [409, 'state-conflict'], 'it is asleep');
    assert.equal((await invoke(api, 'resting')).status, 200);
    assert.deepEqual([(await pause()).status, (await pause()).status], [200, 200]);
    const before = await api.registry.getActor('resting');
    assert.deepEqual([before?.state, before?.node], ['paused', 'node-1']);
    const node = await api.registry.getNode('node-1');
    assert.deepEqual([node?.usedSlots, node?.usedMemoryMiB], [0, 0]);
    assert.equal((await invoke(api, 'other')).status, 200, 'its slot is free');
    await announce(api, 'node-2');
    const waiting = invoke(api, 'resting');
    await until(async () =>
      /room on node-1: 1 call waits/.test((await api.call('GET', '/v1/actors/resting/explain')).text),
    );
    assert.equal(await stateOf(api, 'resting'), 'paused', 'another node has room, but not its state');
    await sleep(api, 'other');
    assert.equal((await waiting).status, 200);
    const woken = await api.registry.getActor('resting');
    assert.deepEqual([woken?.node, woken?.capture], ['node-1', undefined]);
  });

  test('paused on a node that is gone: it falls back, fenced, and wakes elsewhere', async () => {
    await using api = await startFixture(serve);
    await announce(api, 'node-2');
    await api.sleeping('orphan');
    const epoch = await runningOn(api, 'orphan', 'node-2');
    const move = { id: 'orphan', epoch, reason: 'test' } as const;
    await api.registry.transition({ ...move, from: ['running'], to: 'pausing', deadlineMs: 60_000 });
    const capture = { epoch, capturedAt: new Date().toISOString(), sizeBytes: 1 };
    await api.registry.transition({ ...move, from: ['pausing'], to: 'paused', update: { capture } });
    const { body } = await api.call('GET', '/v1/actors/orphan/explain');
    assert.match(String(body['then']), /on node node-2 only; if the node dies it falls back to generation 0/);
    await api.registry.releaseLease('node-2', 'b');
    assert.equal((await invoke(api, 'orphan')).status, 200);
    const record = await api.registry.getActor('orphan');
    assert.deepEqual([record?.node, record?.capture], ['node-1', undefined]);
    const { last } = await readHead(api.store, 'orphan');
    assert.deepEqual(last?.kind === 'fence' && last.fencedEpoch, epoch);
    assert.deepEqual(await api.registry.actorsOnNode('node-2'), []);
  });

  test('a call to a node that nobody listens on is served once the actor has left it', async () => {
    await using api = await startFixture(serve);
    await announce(api, 'node-2');
    await api.sleeping('stranded');
    await runningOn(api, 'stranded', 'node-2');
    const call = invoke(api, 'stranded');
    await api.registry.releaseLease('node-2', 'b');
    await using _reaper = startReaper(api.parts, { holder: 'a', graceMs: 50, everyMs: 20 });
    assert.equal((await call).status, 200);
    assert.equal((await api.registry.getActor('stranded'))?.node, 'node-1');
  });
});
