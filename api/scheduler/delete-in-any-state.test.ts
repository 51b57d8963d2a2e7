/** A deletion is accepted in every state; where a transition is under way it waits for that, and says so if it cannot. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { actorStates, isTransitional, type ActorState } from '../../shared/actor/lifecycle.ts';
import { startFixture, until, type Fixture } from '../stand-in/fixture.ts';

type Step = readonly [from: ActorState, to: ActorState];

/** How an actor comes into each state after it was claimed; `suspended` is where it begins. */
const ways: Readonly<Record<Exclude<ActorState, 'suspended' | 'deleting'>, readonly Step[]>> = {
  resuming: [],
  running: [['resuming', 'running']],
  failed: [['resuming', 'failed']],
  pausing: [
    ['resuming', 'running'],
    ['running', 'pausing'],
  ],
  paused: [
    ['resuming', 'running'],
    ['running', 'pausing'],
    ['pausing', 'paused'],
  ],
  suspending: [
    ['resuming', 'running'],
    ['running', 'suspending'],
  ],
};

suite('delete', () => {
  let api: Fixture;
  before(async () => {
    api = await startFixture((_request, response) => response.end('hello'));
  });
  after(() => api[Symbol.asyncDispose]());

  async function brought(id: string, state: ActorState): Promise<() => Promise<unknown>> {
    await api.sleeping(id);
    if (state === 'suspended') return () => Promise.resolve();
    if (state === 'deleting') {
      await api.registry.transition({ id, from: ['suspended'], to: 'deleting', deadlineMs: 60_000, reason: 'test' });
      const uid = (await api.registry.getActor(id))?.uid ?? '';
      return async () => {
        const isFollowed = async () =>
          (await api.registry.openOperations(10, false)).some(({ target }) => target === id);
        await until(isFollowed);
        await api.registry.removeActor(id, uid);
      };
    }
    const claim = await api.registry.claim(id, 'node-1', 60_000, 'test');
    assert.ok(claim.outcome === 'claimed');
    const { epoch } = claim;
    const step = { id, epoch, deadlineMs: 60_000, reason: 'test' } as const;
    for (const [from, to] of ways[state]) {
      const { deadlineMs, ...rest } = step;
      await api.registry.transition({ ...rest, from: [from], to, ...(isTransitional(to) && { deadlineMs }) });
    }
    return () => api.registry.transition({ id, epoch, from: [state], to: 'suspended', reason: 'its end' });
  }

  for (const state of actorStates) {
    test(`an actor that is ${state}`, async () => {
      const id = `is-${state}`;
      const end = await brought(id, state);
      assert.equal((await api.registry.getActor(id))?.state, state);
      const waits = isTransitional(state);
      if (waits && state !== 'deleting') {
        const refused = await api.call('DELETE', `/v1/actors/${id}`);
        assert.deepEqual([refused.status, refused.body['code']], [409, 'state-conflict'], refused.text);
        assert.match(String(refused.body['detail']), new RegExp(`is ${state}; that must end first`));
      }
      const deletion = api.call('DELETE', `/v1/actors/${id}`, { headers: { prefer: 'wait=20' } });
      if (waits) await end();
      const { status, body, text } = await deletion;
      assert.deepEqual([status, body['state']], [200, 'done'], text);
      await until(async () => (await api.registry.getActor(id)) === undefined);
      assert.equal((await api.registry.actorsOnNode('node-1')).includes(id), false, 'it holds no room');
      assert.equal((await api.call('GET', `/v1/actors/${id}`)).status, 404);
    });
  }
});
