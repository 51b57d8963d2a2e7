/**
 * The guest as the platform uses it, from the asset set of this machine: one VM, in which containers fail in each way there
 * is, run, learn who they are, and end.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { hostArchitecture, openCurrentAssetSet } from '../../shared/assets/asset-folder.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import type { Container, ContainerState, StartReply } from '../../shared/proto/gen/agent.ts';
import { readAssetsConfig } from '../config.ts';
import { bootGuest, type Guest } from './boot-guest.ts';
import { makeRootfs, scriptContainer } from './busybox-container.ts';
import { callAgent } from './call-agent.ts';

const stack = new AsyncDisposableStack();
const conditionLimitMs = 20_000;
let guest: Guest;
let otherRootfs: string;

before(async () => {
  const set = await openCurrentAssetSet(readAssetsConfig().assetsDir, hostArchitecture());
  const sharedDir = await mkdtemp(path.join(tmpdir(), 'lower-'));
  stack.defer(() => removeTree(sharedDir, path.dirname(sharedDir)));
  await makeRootfs(set, sharedDir, 'web');
  otherRootfs = await makeRootfs(set, sharedDir, 'other');
  guest = stack.use(await bootGuest({ host: set, guest: set, sharedDir }));
});

after(() => stack.disposeAsync());

const start = (containers: Container[], timeoutMs = 20_000): Promise<StartReply> =>
  callAgent(guest.agent.start.bind(guest.agent), { containers, timeoutMs });
const wake = (unixMs: number, identity: object): Promise<void> =>
  guest.wakePort.wake(identity, AbortSignal.timeout(conditionLimitMs), unixMs);

async function state(name: string): Promise<ContainerState> {
  const { containers } = await callAgent(guest.agent.inspect.bind(guest.agent), { tailLines: 100 });
  const found = containers.find((container) => container.name === name);
  assert.ok(found, `${name} is not among the containers`);
  return found;
}

async function untilLog(name: string, pattern: RegExp): Promise<string> {
  const signal = AbortSignal.timeout(conditionLimitMs);
  for (let log = ''; ; log = (await state(name)).logTail) {
    if (pattern.test(log)) return log;
    await delay(50, undefined, { signal });
  }
}

test('a container that exits before it is ready: its exit code and its words', async () => {
  const { failure } = await start([scriptContainer('web', 'echo some words; exit 7', { port: 8080 })]);
  assert.equal(failure?.code, 'container-exited');
  assert.match(failure.message, /container web: .*exited with 7/);
  assert.match(failure.dump?.containers[0]?.logTail ?? '', /some words/);
  assert.equal(failure.dump?.containers[0]?.exitCode, 7);
  assert.match(failure.dump.mounts, /overlay .*lowerdir=.*web\/rootfs/);
  assert.match(failure.dump.processes, /guest-agent/);
  assert.match(failure.dump.kernelLogTail, /\[ +\d+\.\d+\]/);
});

test('a container that crun cannot start: the words of crun', async () => {
  const broken = scriptContainer('web', '');
  const config = broken.ociConfigJson.replace('/bin/sh', '/no/such/program');
  const { failure } = await start([{ ...broken, ociConfigJson: config }]);
  assert.equal(failure?.code, 'container-start-failed');
  assert.match(failure.message, /no\/such\/program/);
});

test('a container without an image, and one without a configuration', async () => {
  const missing = await start([scriptContainer('absent', '')]);
  assert.equal(missing.failure?.code, 'container-start-failed');
  assert.match(missing.failure.message, /absent\/rootfs/);
  const unconfigured = await start([{ ...scriptContainer('web', ''), ociConfigJson: '[]' }]);
  assert.equal(unconfigured.failure?.code, 'container-start-failed');
});

test('a probe that never passes ends with the time given', async () => {
  const began = Date.now();
  const { failure } = await start([scriptContainer('web', 'sleep 1000', { port: 81, httpPath: '/' })], 1500);
  assert.equal(failure?.code, 'probe-failed');
  assert.match(failure.message, /refused/);
  assert.equal(failure.dump?.containers[0]?.running, true);
  assert.ok(Date.now() - began < 10_000, 'the start was not bounded');
});

test('one container that fails fails the start, however long the other would take', async () => {
  const slow = scriptContainer('other', 'sleep 1000', { port: 81 });
  const { failure } = await start([slow, scriptContainer('web', 'exit 3', { port: 82 })]);
  assert.deepEqual([failure?.code, failure?.container], ['container-exited', 'web']);
});

test('several containers run until all are ready, and the same request changes nothing', async () => {
  const serve = 'echo ok >index.html; httpd -f -p 127.0.0.1:8080';
  const look = `
    echo "limits $(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max | xargs)"
    echo "process $GREETING $PWD $(id -u) $(grep CapEff /proc/self/status | xargs)"
    echo changed >/lower-file; mv /lower-folder /moved; rm /moved/second
    echo "root $(cat /lower-file) $(ls /moved) $(ls -d /lower-folder 2>&1)"
    dd if=/dev/zero of=/big bs=1M count=32 2>&1 | grep -o 'No space left.*'; rm /big
    while sleep 0.1; do echo "I am $(cat /run/dormouse/actor.json) at $(date +%s)"; done`;
  const containers = [scriptContainer('web', serve, { port: 8080, httpPath: '/' }), scriptContainer('other', look)];
  assert.equal((await start(containers)).failure, undefined);
  assert.equal((await start(containers)).failure, undefined);
  assert.equal((await state('web')).running, true);

  const log = await untilLog('other', /I am/);
  assert.match(log, /limits 33554432 20/);
  assert.match(log, /process hello \/tmp 0 CapEff: 0000000000000020/);
  assert.match(log, /root changed first .*lower-folder: No such file/);
  assert.match(log, /No space left/);
  assert.equal(await readFile(path.join(otherRootfs, 'lower-file'), 'utf8'), 'from the image');
  assert.deepEqual(await readdir(path.join(otherRootfs, 'lower-folder')), ['first', 'second']);
});

test('waking sets the clock and the identity, which containers read fresh', async () => {
  await wake(Date.now(), { id: 'first' });
  await untilLog('other', /I am {"id":"first"}/);
  const ahead = Date.now() + 3_600_000;
  await wake(ahead, { id: 'second', like: '0'.repeat(5000) });
  const log = await untilLog('other', /I am {"id":"second","like":"0{5000}"} at \d+/);
  const seconds = Number(/"second".*} at (\d+)/.exec(log)?.[1]);
  assert.ok(Math.abs(seconds - ahead / 1000) < 30, `the container's clock shows ${seconds}`);
});

test('quiesce answers, on either way in', async () => {
  await callAgent(guest.agent.quiesce.bind(guest.agent), {});
  await guest.wakePort.quiesce(AbortSignal.timeout(conditionLimitMs));
});

test('a container that ends after it was ready ends the VM, with its last words on the console', async () => {
  const short = scriptContainer('web', 'echo last words; httpd -p 127.0.0.1:8090; sleep 1; exit 9', { port: 8090 });
  assert.equal((await start([short])).failure, undefined);
  assert.equal(await guest.ended, 0);
  assert.match(await guest.console(), /dormouse: container web exited with 9[\s\S]*last words/);
});
