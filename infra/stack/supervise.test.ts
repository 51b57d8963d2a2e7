import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { openChildLog } from './child-log.ts';
import { supervise, type Death, type SupervisedChild } from './supervise.ts';

const policy = { quickMs: 60_000, quickFailuresAllowed: 2, backOffFirstMs: 5, backOffLongestMs: 20 };
const limitMs = 10_000;

async function startChild(context: TestContext, script: string, file = process.execPath) {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-child-'));
  const log = await openChildLog(folder, 'child', () => undefined);
  const deaths: Death[] = [];
  const spec = {
    name: 'child',
    file,
    args: ['-e', script],
    cwd: folder,
    environment: { PATH: process.env['PATH'] ?? '' },
  };
  const child = supervise(spec, log, (death) => deaths.push(death), policy);
  context.after(async () => {
    await child.kill9();
    await log.close();
    await removeTree(folder, tmpdir());
  });
  return { child, deaths, log };
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const signal = AbortSignal.timeout(limitMs);
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(10, undefined, { signal });
  }
}

const runningPid = (child: SupervisedChild, log: { tail(): readonly string[] }, word: string) =>
  until(() => (log.tail().includes(word) ? child.pid : undefined));

const isGone = (pid: number) =>
  access(`/proc/${pid}`).then(
    () => undefined,
    () => true,
  );

/** Announces itself with its pid, so that a test can tell one run from the next. */
const stays = `console.log('run ' + process.pid); setInterval(() => {}, 1000);`;

suite('supervision', () => {
  test('a killed child is reported with its last words and comes back', async (context) => {
    const { child, deaths, log } = await startChild(context, stays);
    const first = await until(() => child.pid);
    await runningPid(child, log, `run ${first}`);
    child.signal('SIGKILL');
    const second = await until(() => (child.pid === first ? undefined : child.pid));
    assert.deepEqual(
      deaths.map(({ how, tail, restartInMs }) => ({ how, tail, restartInMs })),
      [{ how: 'signal SIGKILL', tail: [`run ${first}`], restartInMs: 5 }],
    );
    await runningPid(child, log, `run ${second}`);
  });

  test('a child that never works is given up after the allowed number of attempts', async (context) => {
    const { child, deaths } = await startChild(context, `console.error('no config'); process.exit(3)`);
    await until(() => deaths.find((death) => death.restartInMs === undefined));
    assert.deepEqual(
      deaths.map((death) => death.restartInMs),
      [5, 10, undefined],
    );
    assert.deepEqual([deaths[0]?.how, deaths[0]?.tail[0]], ['exit code 3', 'no config']);
    assert.equal(child.pid, undefined);
  });

  test('stop asks first, and a second stop joins it', async (context) => {
    const script = `process.on('SIGTERM', () => { console.log('bye'); process.exit(0); }); ${stays}`;
    const { child, deaths, log } = await startChild(context, script);
    await until(() => log.tail().find((line) => line.startsWith('run')));
    assert.deepEqual(await Promise.all([child.stop(limitMs), child.stop(limitMs)]), ['stopped', 'stopped']);
    assert.equal(log.tail().at(-1), 'bye');
    assert.deepEqual(deaths, [], 'an end that was asked for is not a death');
  });

  test('what ignores SIGTERM is killed at the limit, with its own children', async (context) => {
    const script = `const { spawn } = require('node:child_process');
      process.on('SIGTERM', () => console.log('ignored'));
      console.log('grandchild ' + spawn('sleep', ['600']).pid); setInterval(() => {}, 1000);`;
    const { child, log } = await startChild(context, script);
    const line = await until(() => log.tail().find((words) => words.startsWith('grandchild')));
    assert.equal(await child.stop(200), 'killed');
    assert.ok(await until(() => isGone(Number(line.split(' ')[1]))));
  });

  test('a program that does not exist ends like any other', async (context) => {
    const { deaths } = await startChild(context, '', '/nowhere/program');
    const death = await until(() => deaths[0]);
    assert.match(death.how + death.tail.join(), /exit code 1.*No such file/s);
  });

  test('the child dies with its supervisor, even by kill -9', async (context) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-orphan-'));
    context.after(() => removeTree(folder, tmpdir()));
    const program = `import { openChildLog } from ${JSON.stringify(import.meta.resolve('./child-log.ts'))};
      import { supervise } from ${JSON.stringify(import.meta.resolve('./supervise.ts'))};
      const log = await openChildLog(${JSON.stringify(folder)}, 'child', () => {});
      supervise({ name: 'child', file: process.execPath, args: ['-e', ${JSON.stringify(stays)}], cwd: '/', environment: {} }, log, () => {});`;
    const supervisor = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
    context.after(() => supervisor.kill('SIGKILL'));
    const text = () => readFile(path.join(folder, 'child.log'), 'utf8').catch(() => '');
    const pid = await until(async () => /run (\d+)/.exec(await text())?.[1]);
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    assert.ok(await until(() => isGone(Number(pid))));
  });
});
