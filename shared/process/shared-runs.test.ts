import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedRuns } from './shared-runs.ts';

interface Begun {
  readonly key: string;
  readonly resolve: (value: undefined) => void;
  readonly reject: (error: Error) => void;
}

function recorded() {
  const begun: Begun[] = [];
  const run = sharedRuns((key) => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    begun.push({ key, resolve, reject });
    return promise;
  });
  return { begun, run };
}

test('who comes during a run gets one that begins later, with all who came meanwhile', async () => {
  const { begun, run } = recorded();
  const first = run('a');
  const late = [run('a'), run('a'), run('a')];
  assert.equal(begun.length, 1);
  begun[0]?.resolve(undefined);
  await first;
  await Promise.resolve(); // the next one begins right after
  assert.equal(begun.length, 2);
  begun[1]?.resolve(undefined);
  await Promise.all(late);
  assert.equal(begun.length, 2);
  void run('a');
  assert.equal(begun.length, 3);
});

test('keys do not wait for each other', () => {
  const { begun, run } = recorded();
  void run('a');
  void run('b');
  assert.deepEqual(
    begun.map(({ key }) => key),
    ['a', 'b'],
  );
});

test('a failure is told to those who shared the run, and the next one still begins', async () => {
  const { begun, run } = recorded();
  const first = run('a');
  const late = run('a');
  begun[0]?.reject(new Error('no space'));
  await assert.rejects(first, /no space/);
  await Promise.resolve();
  begun[1]?.resolve(undefined);
  await late;
});
