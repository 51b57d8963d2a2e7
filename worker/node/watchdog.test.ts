import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { execa } from 'execa';
import { until } from '../../shared/process/until.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { monotonicMs } from '../watchdog/order.ts';
import { endLeftovers } from './leftover-processes.ts';
import { processesMarked, watchdogMark } from './vm-processes.ts';
import { startWatchdog } from './watchdog.ts';

const log = createLogger('silent', {});
const soon = (what: string) => ({ signal: AbortSignal.timeout(10_000), everyMs: 10, what });
const stateOf = async (pid: number | undefined): Promise<string> => {
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2)[0] ?? 'gone';
};
const isGone = async (pid: number | undefined): Promise<boolean> => ['gone', 'Z'].includes(await stateOf(pid));

suite('watchdog', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-watchdog-'));
  });
  after(() => rm(folder, { recursive: true }));

  /** Stands in for a VMM: a process that names a path below the run folder. */
  function startVm(node: string) {
    const file = path.join(node, 'run', '1', 'console.log');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '');
    return execa('setpriv', ['--pdeathsig', 'KILL', '--', 'tail', '-f', file], { reject: false, buffer: false });
  }
  const nodeFolder = (name: string): string => path.join(folder, name);
  const far = (): [number, number] => [monotonicMs() + 60_000, monotonicMs() + 60_000];

  test('VMs are left alone while orders come, stopped when one is late, and a newer one says that they were', async () => {
    const node = nodeFolder('renewed');
    const vm = startVm(node);
    await using watchdog = startWatchdog({ nodeFolder: node, receiptLimitMs: 5000, log });
    assert.equal(await watchdog.order(...far()), false);
    assert.equal(await watchdog.order(monotonicMs() + 100, monotonicMs() + 60_000), false);
    assert.equal(await stateOf(vm.pid), 'S');
    await until(async () => (await stateOf(vm.pid)) === 'T', soon('the VM to be stopped'));
    assert.equal(await watchdog.order(...far()), true, 'it says that it stopped them');
    assert.equal(await watchdog.order(...far()), false, 'once');
    process.kill(vm.pid ?? 0, 'SIGCONT');
    await until(async () => (await stateOf(vm.pid)) === 'S', soon('the VM to go on'));
    await watchdog[Symbol.asyncDispose]();
    await until(() => isGone(vm.pid), soon('the VM to end with the watchdog'));
  });

  for (const [name, trouble] of [
    ['hanging', 'while (true) {}'],
    ['stopped', "process.kill(process.pid, 'SIGSTOP')"],
  ] as const) {
    test(`the VMs of a ${name} worker are stopped, then killed, and it too`, async () => {
      const node = nodeFolder(name);
      const vm = startVm(node);
      const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
      const code = `
        const { startWatchdog } = await import(${url('./watchdog.ts')});
        const { monotonicMs } = await import(${url('../watchdog/order.ts')});
        const log = { warn: () => {} };
        const watchdog = startWatchdog({ nodeFolder: ${JSON.stringify(node)}, receiptLimitMs: 5000, log });
        await watchdog.order(monotonicMs() + 300, monotonicMs() + 3000);
        ${trouble}`;
      const worker = execa(process.execPath, ['--input-type=module', '-e', code], { reject: false, cleanup: true });
      await until(async () => (await stateOf(vm.pid)) === 'T', soon('the VM to be stopped'));
      assert.equal(await isGone(worker.pid), false);
      const ended = await worker;
      assert.equal(ended.signal, 'SIGKILL');
      assert.match(ended.stderr, /virtual machines stopped[^]*virtual machines and worker killed/);
      await until(() => isGone(vm.pid), soon('the VM to be killed'));
      await until(() => processesMarked(watchdogMark(node)).length === 0, soon('the watchdog to end'));
    });
  }

  test('a killed or stopped watchdog is replaced; what it had done last is taken for the worst', async () => {
    const node = nodeFolder('replaced');
    await using watchdog = startWatchdog({ nodeFolder: node, receiptLimitMs: 400, log });
    await watchdog.order(...far());
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      const before = watchdog.pid ?? 0;
      process.kill(before, signal);
      assert.equal(await watchdog.order(...far()), true);
      assert.notEqual(watchdog.pid, before);
      assert.equal(await isGone(before), true);
      assert.equal(await watchdog.order(...far()), false);
    }
  });

  test('a worker that starts again first ends a watchdog that was stopped all the while, then the VMs', async () => {
    const node = nodeFolder('again');
    const vm = startVm(node);
    const other = startVm(nodeFolder('another-node'));
    await using watchdog = startWatchdog({ nodeFolder: node, receiptLimitMs: 60_000, log });
    await watchdog.order(...far());
    const { pid } = watchdog;
    process.kill(pid ?? 0, 'SIGSTOP');
    await using resources = new AsyncDisposableStack();
    resources.defer(() => void other.kill('SIGKILL'));
    await endLeftovers(node);
    await until(() => isGone(pid), soon('the watchdog to be gone'));
    await until(() => isGone(vm.pid), soon('the VM to be gone'));
    assert.equal(await isGone(other.pid), false, "another node's VM is none of ours");
  });

  test('the end of the worker is the end of the watchdog', async () => {
    const node = nodeFolder('ended');
    const watchdog = startWatchdog({ nodeFolder: node, receiptLimitMs: 5000, log });
    await watchdog.order(...far());
    const { pid } = watchdog;
    process.kill(pid ?? 0, 'SIGTERM'); // what a service manager sends to the whole group
    assert.equal(await watchdog.order(...far()), false, 'it is still the same one');
    await watchdog[Symbol.asyncDispose]();
    assert.equal(await isGone(pid), true);
  });
});
