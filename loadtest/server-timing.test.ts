import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parseServerTiming, phasesOf } from './server-timing.ts';

const entry = (name: string, durationMs?: number, description?: string) => ({ name, durationMs, description });

suite('Server-Timing', () => {
  test('durations and descriptions, in any order and spacing', () => {
    assert.deepEqual(parseServerTiming('queue;dur=1.5, vmm ; DESC=started ; dur = 20 ,total'), [
      entry('queue', 1.5),
      entry('vmm', 20, 'started'),
      entry('total'),
    ]);
  });

  test('quoted words may contain separators and escapes', () => {
    assert.deepEqual(parseServerTiming(String.raw`a;desc="x, y; \"z\" \\";dur=1, b;dur="2"`), [
      entry('a', 1, String.raw`x, y; "z" \ `.trimEnd()),
      entry('b', 2),
    ]);
  });

  test('what is broken does not hide the rest', () => {
    assert.deepEqual(phasesOf('a;dur=, ,;dur=3,b;dur=abc,c;dur=4;dur=5,d;dur=1e1'), { c: 4, d: 10 });
    assert.deepEqual(phasesOf('a;desc="never closed, b;dur=2'), { b: 2 });
  });

  test('no header, no phases', () => {
    assert.deepEqual(phasesOf(null), {});
    assert.deepEqual(phasesOf(''), {});
  });

  test('the last phase of a name counts', () => assert.deepEqual(phasesOf('app;dur=900, app;dur=1, app'), { app: 1 }));

  test('no name of a phase is special', () => {
    assert.deepEqual(Object.keys(phasesOf('__proto__;dur=1, a;dur=2')), ['__proto__', 'a']);
  });

  test('no header makes it fail or run away, and what it reads are finite numbers', () => {
    const header = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', ';', ',', '=', '"', '\\', ' ', '1') }));
    fc.assert(
      fc.property(header, (text) => {
        for (const durationMs of Object.values(phasesOf(text))) assert.ok(Number.isFinite(durationMs));
      }),
      { numRuns: 1000 },
    );
    const startedAt = performance.now();
    phasesOf(`${'a'.repeat(20_000)}${'"'.repeat(20_000)}`);
    assert.ok(performance.now() - startedAt < 2_000, 'a hostile header takes quadratic time');
  });
});
