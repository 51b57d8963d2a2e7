import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';
import { until } from '../../shared/process/until.ts';
import type { Activation } from '../activation/activation.ts';
import { monotonicMs } from '../watchdog/order.ts';
import { createFence } from './fence.ts';
import { leaseShares } from './lease.ts';

const soon = (what: string) => ({ signal: AbortSignal.timeout(10_000), everyMs: 5, what });

/** Stands in for an activation and its VMM: a process that names a path in the sandbox's folder. */
function startVm(node: string, name: string) {
  const folder = path.join(node, 'run', name);
  const file = path.join(folder, 'console.log');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, '');
  const vmm = execa('setpriv', ['--pdeathsig', 'KILL', '--', 'tail', '-f', file], { reject: false, buffer: false });
  const state = (): string => {
    const text = readFileSync(`/proc/${String(vmm.pid)}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2)[0] ?? '';
  };
  return { activation: { sandbox: { folder } } as unknown as Activation, vmm, state };
}

test('a freeze stops every VM and every answer; a lift lets each activation go on only when it is readmitted', async () => {
  const leaseMs = 1000;
  const node = await mkdtemp(path.join(tmpdir(), 'dormouse-fence-'));
  await using resources = new AsyncDisposableStack();
  resources.defer(() => rm(node, { recursive: true }));
  const vms = ['1', '12', '2'].map((name) => startVm(node, name));
  resources.defer(async () => {
    for (const { vmm } of vms) vmm.kill('SIGKILL');
    await Promise.all(vms.map(({ vmm }) => vmm));
  });
  const [one, twelve, starting] = vms;
  assert.ok(one && twelve && starting);
  await until(() => vms.every(({ state }) => state() === 'S'), soon('the processes'));
  const orders: [number, number][] = [];
  const watchdog = {
    order: (...given: [number, number]) => Promise.resolve(void orders.push(given)).then(() => false),
  };
  const activations = { all: () => [one.activation, twelve.activation] };
  const fence = createFence({ nodeFolder: node, leaseMs, holdMs: 60_000, activations, watchdog });
  assert.equal(fence.admits(one.activation), false, 'nobody answers before the lease is had');

  const renewedAt = monotonicMs();
  assert.equal(await fence.renewed(renewedAt), true);
  assert.equal(fence.admits(one.activation), true);
  await until(() => !fence.admits(one.activation), soon('the time to serve to be over by the clock alone'));
  assert.ok(monotonicMs() >= renewedAt + leaseMs * leaseShares.freeze);

  fence.freeze();
  await until(() => vms.every(({ state }) => state() === 'T'), soon('all to be stopped'));
  const held = orders.at(-1);
  assert.ok(held && held[0] <= monotonicMs() && held[1] > monotonicMs() + 50_000, 'the watchdog keeps them stopped');

  const frozen = await fence.lift(monotonicMs(), AbortSignal.timeout(10_000));
  assert.deepEqual(frozen, activations.all());
  await until(() => starting.state() === 'S', soon('a start that was under way to go on'));
  assert.deepEqual([one.state(), twelve.state()], ['T', 'T']);
  assert.equal(fence.admits(one.activation), false);
  fence.letRun(one.activation);
  await until(() => one.state() === 'S', soon('it to go on'));
  assert.equal(twelve.state(), 'T', 'nobody else goes on with it');
  fence.readmit(one.activation);
  assert.deepEqual([fence.admits(one.activation), fence.admits(twelve.activation)], [true, false]);

  fence.freeze();
  const lapsed = await fence.lift(monotonicMs(), AbortSignal.abort());
  assert.deepEqual([lapsed, fence.admits(one.activation)], [[], false], 'a lease that lapsed meanwhile opens nothing');
});
