import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { wakeBudget } from './wake-budget.ts';

suite('wake budget', () => {
  test('ends after its time, which stands still while it is held', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    let clock = 0;
    context.mock.method(performance, 'now', () => clock);
    const pass = (ms: number): void => {
      clock += ms;
      context.mock.timers.tick(ms);
    };
    using budget = wakeBudget(1000, new AbortController().signal);
    pass(400);
    budget.hold(true);
    budget.hold(true);
    pass(60_000);
    budget.hold(false);
    pass(599);
    assert.equal(budget.signal.aborted, false);
    pass(1);
    assert.equal(budget.signal.aborted, true);
  });

  test('ends with the call, also with one that is over already, and for its reason', () => {
    const call = new AbortController();
    using before = wakeBudget(1000, call.signal);
    const reason = new Error('the client left');
    call.abort(reason);
    using after = wakeBudget(1000, call.signal);
    for (const { signal } of [before, after]) assert.deepEqual([signal.aborted, signal.reason], [true, reason]);
  });
});
