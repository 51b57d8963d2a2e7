import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { newPassKey, passChecker, passMaker } from './node-pass.ts';

const minute = 60_000;

suite('the pass of a node', () => {
  test('is let in by the node whose key made it, and by no other', () => {
    const key = newPassKey();
    const pass = passMaker(key)();
    assert.ok(passChecker(key)(pass));
    assert.ok(!passChecker(newPassKey())(pass));
    assert.ok(!pass.includes(key));
  });

  test('is another one in the next window, and ends by itself', () => {
    const key = newPassKey();
    let at = Date.UTC(2026, 0, 1);
    const clock = (): number => at;
    const pass = passMaker(key, clock);
    const check = passChecker(key, clock);
    const first = pass();
    assert.equal(pass(), first);
    at += 5 * minute;
    assert.notEqual(pass(), first);
    assert.ok(check(first) && check(pass()), 'one window late is not too late');
    at += 5 * minute;
    assert.ok(!check(first), 'two windows are');
    assert.ok(check(pass()));
  });

  test('clocks may differ by a window', () => {
    const key = newPassKey();
    const at = Date.UTC(2026, 0, 1, 0, 2);
    const offered = (skewMs: number): boolean => passChecker(key, () => at)(passMaker(key, () => at + skewMs)());
    for (const skew of [-5, -1, 0, 1, 5]) assert.ok(offered(skew * minute), `${skew} minutes`);
    for (const skew of [-11, 11, 60]) assert.ok(!offered(skew * minute), `${skew} minutes`);
  });

  test('nothing but a pass is one', () => {
    const key = newPassKey();
    const pass = passMaker(key)();
    const check = passChecker(key);
    assert.ok(!check(undefined));
    const others = fc.oneof(
      fc.string(),
      fc.string().map((text) => pass + text + ' '),
      fc.nat(pass.length - 1).map((length) => pass.slice(0, length)),
      fc
        .nat()
        .map((window) => pass.replace(/^[0-9]+/, String(window)))
        .filter((text) => text !== pass),
    );
    fc.assert(fc.property(others, (text) => !check(text)));
  });
});
