import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { Check } from './checks.ts';
import { runChecks } from './run-checks.ts';

const run = async (checks: Check[]) => {
  const lines: string[] = [];
  const counts = await runChecks(checks, (line) => lines.push(stripVTControlCharacters(line)));
  return { counts, text: lines.join('\n') };
};

suite('running checks', () => {
  test('all results are shown, also after a failure, and a check that throws has failed', async () => {
    const { counts, text } = await run([
      { name: 'broken', run: () => Promise.reject(new Error('no such tool')) },
      { name: 'wrong', run: () => Promise.resolve('a.ts:1 first\na.ts:2 second') },
      { name: 'right', run: () => Promise.resolve('') },
    ]);
    assert.deepEqual(counts, { passed: 1, failed: 2 });
    assert.match(text, /✖ broken \(\d\.\d s\)\n {4}no such tool/);
    assert.match(text, /✖ wrong \(\d\.\d s\)\n {4}a\.ts:1 first\n {4}a\.ts:2 second/);
    assert.match(text, /✔ right/);
  });

  test('two run at the same time, never three', async () => {
    let now = 0;
    let most = 0;
    const check: Check = {
      name: 'busy',
      run: async () => {
        most = Math.max(most, (now += 1));
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        return '';
      },
    };
    await run([check, check, check, check, check]);
    assert.equal(most, 2);
  });
});
