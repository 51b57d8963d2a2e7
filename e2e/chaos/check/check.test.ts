/** Each kind of violation, made by hand: a checker that cannot find it would let a broken platform pass. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Evidence, LogFact, RunningInterval, Strike } from '../evidence.ts';
import { countedIn, type Counted, type HistoryEvent, type Look, type Move, type Uncounted } from '../history.ts';
import { checkRun } from './check.ts';

const actor = 'a';
const call = (
  epoch: string,
  memory: number,
  invokedAt: number,
  completedAt = invokedAt + 5,
  file = memory,
): Counted => ({
  ...{ kind: 'call', outcome: 'ok', actor, epoch, memory, file, invokedAt, completedAt },
});
const uncounted = (outcome: 'fail' | 'unknown', invokedAt: number): Uncounted => ({
  ...{ kind: 'call', outcome, actor, invokedAt, completedAt: invokedAt + 5, why: 'test' },
});
const suspended = (epoch: string, invokedAt: number): Move => ({
  ...{ kind: 'move', verb: 'suspend', outcome: 'done', actor, epoch, invokedAt, completedAt: invokedAt + 5 },
});
const look = (generation: number, invokedAt: number, node = 'node-2'): Look => ({
  ...{ kind: 'look', actor, state: 'running', generation, epoch: '1.1', node, invokedAt, completedAt: invokedAt + 5 },
});
const snapshot = (seq: number, epoch: string, generation: number, capturedAt: number): LogFact => ({
  ...{ kind: 'snapshot', seq, epoch, generation, capturedAt },
});
const ran = (epoch: string, node: string, from: number, to: number | undefined, vm = '1'): RunningInterval => ({
  ...{ actor, epoch, node, vm, from, to, seen: true },
});

/** For histories of their own. */
const moved = [look(0, 1, 'node-1'), look(0, 7, 'node-2')];

/** Two activations as they should be: 1 to 3, committed, then on from 4. */
const good: Evidence = {
  actors: [actor],
  history: [
    ...[
      look(0, 1, 'node-1'),
      call('1.1', 1, 10),
      call('1.1', 2, 20),
      call('1.1', 3, 30),
      suspended('1.1', 40),
      look(1, 50),
    ],
    ...[call('1.2', 4, 100), call('1.2', 5, 110)],
  ],
  logs: new Map([[actor, [snapshot(2, '1.1', 1, 42)]]]),
  intervals: [ran('1.1', 'node-1', 5, 41), ran('1.2', 'node-2', 90, undefined)],
  strikes: [{ fault: 'kill-worker', target: 'node-1', from: 60, to: 61, hit: true }],
  finals: [{ actor, state: 'suspended', settledAfterMs: 100 }],
  leftovers: [],
  store: { live: 5, others: [{ key: 'actors/a/u/blobs/1.1-1/memory', verdict: 'orphan' }] },
};
const expected = {
  settleLimitMs: 1000,
  minAnsweredPerActor: 3,
  minEpochsPerActor: 2,
  minMovesPerActor: 1,
  minHits: 1,
  faults: ['kill-worker'],
};

/** With a life for every activation that a test adds to the history, unless it says what the lives are. */
function rulesBroken(changes: Partial<Evidence>): string[] {
  const epochs = new Set(countedIn(changes.history ?? []).map(({ epoch }) => epoch));
  const more = [...epochs].filter((epoch) => !good.intervals.some((interval) => interval.epoch === epoch));
  const intervals: RunningInterval[] = good.intervals.map((life) => ({ ...life, to: life.to ?? 99 }));
  for (const [index, epoch] of more.entries()) intervals.push(ran(epoch, 'node-1', 900 + index, 901 + index));
  const evidence = { ...good, ...(more.length > 0 && { intervals }), ...changes };
  return [...new Set(checkRun(evidence, expected).map(({ rule }) => rule))].sort();
}
const withHistory = (...more: HistoryEvent[]): string[] => rulesBroken({ history: [...good.history, ...more] });

suite('the checker', () => {
  test('a good run passes', () => {
    assert.deepEqual(checkRun(good, expected), []);
  });

  test('an activation that fell back to the golden before any commit is no loss', () => {
    const history = [...moved, call('1.1', 1, 10), call('1.1', 2, 20), call('1.2', 1, 100), call('1.2', 2, 110)];
    assert.deepEqual(rulesBroken({ history, logs: new Map() }), []);
  });

  test('answers that were under way at the same time may come in any order', () => {
    assert.deepEqual(withHistory(call('1.2', 7, 120, 140), call('1.2', 6, 125, 130)), []);
  });

  test('memory and file that disagree', () => {
    assert.deepEqual(withHistory(call('1.2', 6, 120, 125, 5)), ['memory-and-file-agree']);
  });

  test('one count answered twice', () => {
    assert.deepEqual(withHistory(call('1.2', 5, 108, 112)), ['no-duplicate-in-an-activation']);
  });

  test('a count that goes back within an activation', () => {
    assert.deepEqual(withHistory(call('1.2', 7, 120), call('1.2', 6, 130)), ['order-within-an-activation']);
  });

  test('increments that nobody made, unless calls without a known outcome explain them', () => {
    assert.deepEqual(withHistory(call('1.2', 7, 130)), ['no-gap-without-an-unknown-call']);
    assert.deepEqual(withHistory(uncounted('unknown', 120), call('1.2', 7, 130)), []);
    assert.deepEqual(withHistory(uncounted('fail', 120), call('1.2', 7, 130)), ['no-gap-without-an-unknown-call']);
    assert.deepEqual(withHistory(call('1.2', 7, 130), uncounted('unknown', 140)), ['no-gap-without-an-unknown-call']);
  });

  test('one call without a known outcome explains one increment, not two', () => {
    const twice = [uncounted('unknown', 120), call('1.2', 8, 130)];
    assert.deepEqual(withHistory(...twice), ['no-gap-without-an-unknown-call']);
    const inTwoPlaces = [uncounted('unknown', 102), call('1.2', 7, 130), call('1.3', 8, 200), call('1.3', 7, 190)];
    const logs = new Map([[actor, [snapshot(2, '1.1', 1, 42), snapshot(3, '1.2', 2, 100)]]]);
    assert.deepEqual(rulesBroken({ history: [...good.history, ...inTwoPlaces, call('1.3', 10, 210)], logs }), [
      'no-gap-without-an-unknown-call',
    ]);
  });

  test('an activation that nobody called hands on what it began with', () => {
    const logs = new Map([[actor, [snapshot(2, '1.1', 1, 42), snapshot(3, '1.2', 2, 60)]]]);
    const history = [...good.history.slice(0, 6), call('1.3', 4, 100)];
    assert.deepEqual(rulesBroken({ history, logs }), []);
  });

  test('an activation that begins above what was committed', () => {
    const history = [...moved, call('1.1', 1, 10), call('1.2', 3, 100), call('1.2', 4, 110)];
    assert.deepEqual(rulesBroken({ history, logs: new Map() }), ['no-gap-without-an-unknown-call']);
  });

  test('an answered count that a committed generation covers is answered again', () => {
    const history = good.history.filter((event) => event.kind !== 'move');
    const lost = [...history, call('1.3', 3, 200)];
    assert.deepEqual(rulesBroken({ history: lost }), ['nothing-covered-is-lost']);
    const logs = new Map([[actor, [snapshot(2, '1.1', 1, 33)]]]);
    assert.deepEqual(rulesBroken({ history: lost, logs }), [], 'the third was answered after the capture');
  });

  test('a count that a suspend was said to have kept', () => {
    const broken = rulesBroken({ history: [...good.history, call('1.3', 3, 200)], logs: new Map() });
    assert.ok(broken.includes('a-done-suspend-keeps-what-was-answered'), broken.join());
  });

  test('a generation that goes back', () => {
    assert.deepEqual(withHistory(look(0, 150)), ['generations-never-fall']);
  });

  test('only a Redis that came back older shows an older generation, and only until the next activation', () => {
    const strike = { fault: 'redis-lost-tail', target: 'redis', from: 60, to: 70, hit: true };
    const shown = (late: Look, ...strikes: Strike[]) =>
      rulesBroken({ history: [...good.history, late], strikes: [...good.strikes, ...strikes] });
    assert.deepEqual(shown(look(0, 150), strike), []);
    assert.deepEqual(shown({ ...look(0, 150), epoch: undefined }, strike), []);
    const unexcused = [
      shown({ ...look(0, 150), epoch: '2.1' }, strike), // an activation of the new life
      shown(look(0, 56), strike), // before it
      shown(look(0, 150), { ...strike, hit: false }),
      shown(look(0, 150), { ...strike, fault: 'kill-redis' }),
      shown(look(0, 150), { ...strike, from: 20, to: 30 }), // the higher one was shown after it
    ];
    for (const broken of unexcused) assert.deepEqual(broken, ['generations-never-fall']);
  });

  test('an older activation that answers after a newer one', () => {
    const broken = rulesBroken({ history: [...good.history, call('1.1', 4, 200)] });
    assert.deepEqual(broken, ['no-answer-of-an-older-activation']);
  });

  test('two virtual machines of one actor at the same time', () => {
    const intervals = [ran('1.1', 'node-1', 5, 91), ran('1.2', 'node-2', 90, undefined)];
    assert.deepEqual(rulesBroken({ intervals }), ['one-activation-at-a-time']);
    const open = [ran('1.1', 'node-1', 5, undefined), ran('1.2', 'node-2', 90, 95)];
    assert.deepEqual(rulesBroken({ intervals: open }), ['one-activation-at-a-time']);
    const sameEpoch = [ran('1.1', 'node-1', 5, 20), ran('1.1', 'node-2', 10, 30), ran('1.2', 'node-2', 90, 99)];
    assert.deepEqual(rulesBroken({ intervals: sameEpoch }), ['one-activation-at-a-time']);
    const twoVms = [...good.intervals, ran('1.2', 'node-2', 95, 99, '2')];
    assert.deepEqual(rulesBroken({ intervals: twoVms }), ['one-activation-at-a-time']);
    const frozenBetween = [...good.intervals.slice(0, 1), ran('1.2', 'node-2', 90, 95), ran('1.2', 'node-2', 96, 99)];
    assert.deepEqual(rulesBroken({ intervals: frozenBetween }), []);
  });

  test('an older epoch that commits after a newer one, or a generation that is not the next', () => {
    const logs = (...facts: LogFact[]) => rulesBroken({ logs: new Map([[actor, facts]]) });
    assert.deepEqual(logs(snapshot(2, '1.2', 1, 41), snapshot(3, '1.1', 2, 42)), ['epochs-rise-in-the-log']);
    assert.deepEqual(logs(snapshot(2, '1.1', 1, 42), snapshot(3, '1.1', 3, 43)), ['epochs-rise-in-the-log']);
    const history = [...moved, call('1.9', 1, 10), call('1.9', 2, 20), call('1.10', 3, 100)];
    const numbers = new Map([[actor, [snapshot(2, '1.9', 1, 42), snapshot(3, '1.10', 2, 143)]]]);
    assert.deepEqual(rulesBroken({ history, logs: numbers }), [], 'epochs are ordered by number');
  });

  test('a commit after its fence', () => {
    const fenced: LogFact[] = [{ kind: 'fence', seq: 2, epoch: '1.1' }, snapshot(3, '1.1', 1, 42)];
    assert.deepEqual(rulesBroken({ logs: new Map([[actor, fenced]]) }), ['no-commit-after-its-fence']);
  });

  test('an actor that is stuck, that failed, that is silent, or that nobody looked at', () => {
    const finals = (state: string, settledAfterMs: number | undefined, silent?: string) =>
      rulesBroken({ finals: [{ actor, state, settledAfterMs, ...(silent !== undefined && { silent }) }] });
    assert.deepEqual(finals('suspending', undefined), ['settles-within-its-deadline']);
    assert.deepEqual(finals('suspended', 2000), ['settles-within-its-deadline']);
    assert.deepEqual(finals('failed', 10), ['ends-in-a-stable-state']);
    assert.deepEqual(finals('running', 10, 'no answer'), ['answers-again']);
    assert.deepEqual(rulesBroken({ finals: [] }), ['answers-again']);
  });

  test('something that is left', () => {
    assert.deepEqual(rulesBroken({ leftovers: ['a virtual machine'] }), ['nothing-is-left']);
  });

  test('a store that is damaged, or holds what nobody knows', () => {
    for (const verdict of ['missing', 'corrupt', 'foreign'] as const) {
      const store = { live: 5, others: [{ key: 'actors/a/log/1.json', verdict }] };
      assert.deepEqual(rulesBroken({ store }), ['the-store-is-sound'], verdict);
    }
  });

  test('a run that was not looked at', () => {
    assert.deepEqual(rulesBroken({ store: { live: 0, others: [] } }), ['not-trivial']);
    assert.deepEqual(rulesBroken({ intervals: [] }), ['not-trivial']);
    assert.deepEqual(rulesBroken({ intervals: good.intervals.slice(0, 1) }), ['not-trivial'], 'no life of 1.2');
    const unseen = good.intervals.map((interval) => ({ ...interval, seen: false }));
    assert.deepEqual(rulesBroken({ intervals: unseen }), ['not-trivial']);
  });

  test('a run in which too little happened', () => {
    const stayed = good.history.map((event) => (event.kind === 'look' ? { ...event, node: 'node-1' } : event));
    assert.deepEqual(rulesBroken({ history: stayed }), ['not-trivial']);
    const unstruck = { ...expected, faults: ['kill-worker', 'stop-api'] };
    assert.deepEqual(
      checkRun(good, unstruck).map(({ words }) => words),
      ['stop-api never struck'],
    );
    const quiet = { ...good, history: good.history.slice(0, 4) };
    assert.ok(checkRun(quiet, expected).some(({ rule }) => rule === 'not-trivial'));
    assert.deepEqual(rulesBroken({ strikes: [] }), ['not-trivial']);
    const missed = good.strikes.map((strike) => ({ ...strike, hit: false }));
    assert.deepEqual(rulesBroken({ strikes: missed }), ['not-trivial']);
    assert.ok(rulesBroken({ actors: [], finals: [], history: [] }).includes('not-trivial'));
  });
});
