import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createProgress, progressLine } from './progress.ts';
import { createRecorder } from './recorder.ts';

const call = (ok: boolean, latencyMs: number) =>
  ({ series: 's', actor: 'a', at: '2030-01-01T00:00:00.000Z', ok, latencyMs, phases: {} }) as const;

function written(terminal: { readonly isTTY?: boolean; readonly columns?: number }) {
  const pieces: string[] = [];
  return { ...terminal, pieces, write: (text: string) => pieces.push(text) };
}

suite('progress', () => {
  test('on a terminal: one line, erased before the next, never wider than the screen', () => {
    const output = written({ isTTY: true, columns: 20 });
    using progress = createProgress(output);
    progress.doing('a step with a long name');
    progress.doing('next');
    assert.deepEqual(output.pieces, ['\r\x1b[2Ka step with a long ', '\r\x1b[2Knext …']);
  });

  test('elsewhere: a line for each step, and no control characters', () => {
    const output = written({});
    using progress = createProgress(output);
    for (const step of ['one', 'one', 'two']) progress.doing(step, ' of many');
    progress.say('said');
    assert.deepEqual(output.pieces, ['one\n', 'two\n', 'said\n']);
  });

  test('shows calls, success and the median of those that succeeded; nothing of a warm-up', () => {
    const recorder = createRecorder();
    recorder.discard();
    recorder.record(call(false, 1));
    recorder.keep();
    for (const ok of [true, true, true, false]) recorder.record(call(ok, ok ? 20 : 9000));
    assert.equal(progressLine('warm', recorder), 'warm · 4 calls · 75.0% succeeded · recent p50 20.0 ms');
    assert.equal(recorder.discarded, 1);
  });
});
