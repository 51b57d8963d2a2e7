import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenForInterrupts } from './interrupt.ts';

const press = () => process.emit('SIGINT');

test('one press that arrives twice is graceful, a second press is immediate', () => {
  let now = 0;
  using interrupts = listenForInterrupts(() => now);
  press();
  press();
  assert.deepEqual([interrupts.graceful.aborted, interrupts.immediate.aborted], [true, false]);
  now = 501;
  press();
  assert.equal(interrupts.immediate.aborted, true);
});

test('afterwards the signals have their usual effect again', () => {
  const before = process.listenerCount('SIGTERM');
  const interrupts = listenForInterrupts();
  assert.equal(process.listenerCount('SIGTERM'), before + 1);
  interrupts[Symbol.dispose]();
  assert.equal(process.listenerCount('SIGTERM'), before);
});
