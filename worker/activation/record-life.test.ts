import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { createPhaseClock } from '../sandbox/phase-clock.ts';
import { recordLife } from './record-life.ts';

test('what is in doubt counts as running: a line comes before a thaw, and after a freeze or an end', async () => {
  const said: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) });
  const fact = (words: string) => (): Promise<void> => {
    said.push(words);
    return Promise.resolve();
  };
  const real = { freeze: fact('freeze'), thaw: fact('thaw'), [Symbol.asyncDispose]: fact('dispose') };
  const sandbox = recordLife({ ...real, exited: new Promise(() => undefined) } as unknown as Sandbox, log);
  const { signal } = new AbortController();
  await sandbox.freeze(createPhaseClock(), signal);
  await sandbox.thaw(signal);
  await sandbox[Symbol.asyncDispose]();
  const facts = ['freeze', 'activation frozen', 'activation thawed', 'thaw', 'dispose', 'activation ended'];
  assert.deepEqual(said, ['activation started', ...facts]);
});
