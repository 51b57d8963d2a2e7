import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  actorRequests,
  actorStates,
  decide,
  isTransitional,
  mayMove,
  type ActorRequest,
  type ActorState,
} from './lifecycle.ts';

/** Where an accepted request leads first. */
const target: Record<ActorRequest, ActorState> = {
  resume: 'resuming',
  suspend: 'suspending',
  pause: 'pausing',
  delete: 'deleting',
};

suite('lifecycle', () => {
  test('what is accepted is a move the registry may make, and leads into a state with a deadline', () => {
    for (const state of actorStates) {
      for (const request of actorRequests) {
        if (decide(state, request).kind !== 'accept') continue;
        assert.ok(mayMove(state, target[request]), `${state} accepts ${request}`);
        assert.ok(isTransitional(target[request]));
      }
    }
  });

  test('a repeated request is answered as under way or done, never accepted twice', () => {
    for (const state of actorStates) {
      for (const request of actorRequests) {
        if (decide(state, request).kind !== 'accept') continue;
        assert.equal(decide(target[request], request).kind, 'already', `${request} after ${request} from ${state}`);
      }
    }
  });

  test('from every state but deleting there is a way to suspended and to running', () => {
    const reaches = (from: ActorState, to: ActorState, seen = new Set<ActorState>()): boolean => {
      if (from === to) return true;
      if (seen.has(from)) return false;
      seen.add(from);
      return actorStates.some((next) => mayMove(from, next) && reaches(next, to, seen));
    };
    for (const state of actorStates.filter((each) => each !== 'deleting')) {
      assert.ok(reaches(state, 'suspended'), state);
      assert.ok(reaches(state, 'running'), state);
    }
  });

  test('whatever is asked in whatever order, at most one activation holds the actor', () => {
    const step = fc.oneof(fc.constantFrom(...actorRequests), fc.constantFrom('done' as const, 'failed' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state: ActorState = 'suspended';
        let before: ActorState = state;
        let activations = 0;
        for (const next of steps) {
          const ends = next === 'done' || next === 'failed';
          const to: ActorState = ends ? exitOf(state, next, before) : requested(state, next);
          if (to === state) continue;
          assert.ok(mayMove(state, to), `${state} to ${to}`);
          if (to === 'resuming') activations++;
          if (to === 'suspended' || to === 'paused' || to === 'failed') activations = 0;
          assert.ok(activations <= 1);
          before = state;
          state = to;
        }
      }),
    );
  });
});

const requested = (state: ActorState, request: ActorRequest): ActorState =>
  decide(state, request).kind === 'accept' ? target[request] : state;

/** How the worker ends a transitional state: what fails on its way out of `paused` is paused again. */
function exitOf(state: ActorState, how: 'done' | 'failed', before: ActorState): ActorState {
  const back = before === 'paused';
  if (state === 'resuming') return how === 'done' ? 'running' : back ? 'paused' : 'failed';
  if (state === 'suspending') return how === 'done' ? 'suspended' : back ? 'paused' : 'running';
  if (state === 'pausing') return how === 'done' ? 'paused' : 'running';
  return state;
}
