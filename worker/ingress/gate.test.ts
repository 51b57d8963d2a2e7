import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createGate, type Gate, type Lease } from './gate.ts';

function enter(gate: Gate): Lease {
  const lease = gate.enter();
  assert.ok(typeof lease !== 'string', 'the gate refused');
  return lease;
}

suite('gate', () => {
  test('an empty gate drains at once and lets nobody in until it opens again', async () => {
    const gate = createGate();
    assert.equal(await gate.drain(0), 'drained');
    assert.equal(gate.enter(), 'draining');
    gate.reopen();
    using _lease = enter(gate);
    assert.equal(gate.inside, 1);
  });

  test('draining waits for those inside and refuses newcomers meanwhile', async () => {
    const gate = createGate();
    const [first, second] = [enter(gate), enter(gate)];
    let done = false;
    const drained = gate.drain(60_000).then((outcome) => {
      done = true;
      return outcome;
    });
    assert.equal(gate.enter(), 'draining');
    first[Symbol.dispose]();
    first[Symbol.dispose](); // leaving twice counts once
    await Promise.resolve();
    assert.equal(done, false);
    second[Symbol.dispose]();
    assert.equal(await drained, 'drained');
    assert.equal(first.signal.aborted, false);
  });

  test('after the limit those inside are broken off', async () => {
    const gate = createGate();
    const lease = enter(gate);
    assert.equal(await gate.drain(5), 'cut');
    assert.equal(lease.signal.aborted, true);
    gate.reopen();
    assert.equal(enter(gate).signal.aborted, false);
  });

  test('an exchange inside is activity; idleness counts from the last one out', () => {
    const gate = createGate();
    const lease = enter(gate);
    assert.equal(gate.idleMs(), 0);
    lease[Symbol.dispose]();
    assert.ok(gate.idleMs() >= 0 && gate.idleMs() < 1000);
  });
});
