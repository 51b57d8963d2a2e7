import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { execa } from 'execa';
import { until } from '../../../../shared/process/until.ts';
import { behindOthers, giveProcess, withOthers } from './capture-priority.ts';

const signal = AbortSignal.timeout(60_000);

const skip = process.getuid?.() === 0 ? false : 'only root may raise a priority';

test('all threads of a process step back, and come forward again', { skip }, async () => {
  const child = execa('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, '-e', 'setInterval(() => {}, 1e9)'], {
    detached: true,
    reject: false,
  });
  const pid = child.pid ?? 0;
  const threads = async (): Promise<number[]> => (await readdir(`/proc/${pid}/task`)).map(Number);
  try {
    await until(async () => (await threads()).length > 1, { signal, everyMs: 5, what: 'a second thread' });
    for (const niceness of [behindOthers, withOthers]) {
      // One that starts in the middle has the priority of the one that started it, which may be the old one.
      await until(
        async () => {
          await giveProcess(pid, niceness);
          return (await threads()).every((thread) => getPriority(thread) === niceness);
        },
        { signal, everyMs: 5, what: `all threads to have ${niceness}` },
      );
      assert.equal(getPriority(pid), niceness);
    }
  } finally {
    child.kill('SIGKILL');
    await child;
  }
});
