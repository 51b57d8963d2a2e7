import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareEpochs, epochBefore, epochSchema, incarnationOf, latestEpoch } from './epoch.ts';

const epochs = fc
  .tuple(fc.integer({ min: 1, max: 999_999_999 }), fc.integer({ min: 0, max: 999_999_999_999_999 }))
  .map(([incarnation, counter]) => `${incarnation}.${counter}`);

test('epochs are in one order, in which what came before an epoch is not after it', () => {
  fc.assert(
    fc.property(epochs, epochs, epochs, (a, b, c) => {
      assert.ok(epochSchema.safeParse(a).success);
      assert.equal(Math.sign(compareEpochs(a, b)) + Math.sign(compareEpochs(b, a)), 0);
      assert.equal(compareEpochs(a, b) === 0, a === b);
      if (compareEpochs(a, b) <= 0 && compareEpochs(b, c) <= 0) assert.ok(compareEpochs(a, c) <= 0);
      const latest = latestEpoch(a, b);
      assert.ok(latest !== undefined && compareEpochs(latest, a) >= 0 && compareEpochs(latest, b) >= 0);
      const before = epochBefore(a);
      assert.ok(epochSchema.safeParse(before).success && compareEpochs(before, a) <= 0);
      assert.equal(incarnationOf(before), incarnationOf(a));
    }),
  );
});

test('a later life of the registry is later than all of an earlier one, and counters are no decimals', () => {
  assert.ok(compareEpochs('2.0', '1.999999999999999') > 0);
  assert.ok(compareEpochs('1.10', '1.9') > 0);
  assert.equal(latestEpoch(undefined, '1.1'), '1.1');
  for (const text of [
    '',
    '1',
    '1.',
    '.1',
    '0.1',
    '01.1',
    '1.1.1',
    '-1.1',
    '1.1\n',
    ' 1.1',
    '1.1e3',
    `1.${'9'.repeat(16)}`,
  ]) {
    assert.equal(epochSchema.safeParse(text).success, false, JSON.stringify(text));
  }
});
