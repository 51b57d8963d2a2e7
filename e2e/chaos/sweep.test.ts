import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { execa } from 'execa';
import { networkOwner } from '../../worker/node/network-owner.ts';
import { folderOf, isAlive, ownOwner, tableOf, type Owner } from './owner.ts';
import { sweepDeadRuns, sweepRun } from './sweep.ts';

/** Makes all that the kernel would keep, says so, and then waits, as a driver whose run is under way. */
const driver = `
import { execaSync } from 'execa';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { cutPorts } from './e2e/chaos/faults/firewall.ts';
import { folderOf, ownOwner, tableOf } from './e2e/chaos/owner.ts';
import { sweepWhenInterrupted } from './e2e/chaos/sweep.ts';
import { networkOwner } from './worker/node/network-owner.ts';

const folder = folderOf(ownOwner());
const home = path.join(folder, 'home');
const node = path.join(home, 'nodes', 'node-1');
mkdirSync(node, { recursive: true });
sweepWhenInterrupted(folder);
execaSync('mount', ['-t', 'tmpfs', 'dormouse-chaos', path.dirname(node)]);
mkdirSync(node, { recursive: true });
execaSync('mount', ['-t', 'tmpfs', 'dormouse-chaos', node]);
execaSync('ip', ['netns', 'add', 'dm-' + networkOwner(home, 'node-1') + '-0']);
await cutPorts({ table: tableOf(ownOwner()), chain: 'node_1' }, [1], 'drop');
const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: { ...process.env, DORMOUSE_HOME: home } });
child.once('exit', () => spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: { ...process.env, DORMOUSE_HOME: home } }));
process.stdout.write(JSON.stringify({ ...ownOwner(), sleeper: child.pid }));
setInterval(() => undefined, 1000);
`;

async function startDriver(context: TestContext) {
  const args = ['--input-type=module-typescript', '-e', driver];
  const child = execa(process.execPath, args, { reject: false, stderr: 'inherit', forceKillAfterDelay: false });
  const [text] = (await once(child.stdout, 'data', { signal: AbortSignal.timeout(30_000) })) as [Buffer];
  const { sleeper, ...owner } = JSON.parse(text.toString()) as Owner & { sleeper: number };
  context.after(async () => {
    child.kill('SIGKILL');
    await child;
    if (existsSync(folderOf(owner))) await sweepRun(path.basename(folderOf(owner)));
  });
  return { child, owner, sleeper };
}

/** In words, so that an assertion says what is there. */
async function madeBy(owner: Owner): Promise<string[]> {
  const folder = folderOf(owner);
  const [tables, mounts, namespaces] = await Promise.all([
    execa('nft', ['list', 'tables']).then(({ stdout }) => stdout),
    readFile('/proc/self/mountinfo', 'utf8'),
    readdir('/run/netns').catch(() => []),
  ]);
  const prefix = `dm-${networkOwner(path.join(folder, 'home'), 'node-1')}-`;
  return [
    ...(existsSync(folder) ? ['folder'] : []),
    ...(tables.includes(tableOf(owner)) ? ['table'] : []),
    ...(mounts.includes(folder) ? ['mounts'] : []),
    ...(namespaces.some((name) => name.startsWith(prefix)) ? ['namespace'] : []),
    ...(await processesOf(folder)),
  ];
}

async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')));
  return texts.some((text) => text.includes(folder)) ? ['process'] : [];
}

const everything = ['folder', 'table', 'mounts', 'namespace', 'process'];

suite('what a run leaves that did not end by itself', () => {
  test('after a kill -9 of its driver the next run removes it, and nothing of a run that is under way', async (context) => {
    const [dead, alive] = [await startDriver(context), await startDriver(context)];
    assert.deepEqual([await madeBy(dead.owner), await madeBy(alive.owner)], [everything, everything]);
    dead.child.kill('SIGKILL');
    await dead.child;
    assert.deepEqual([isAlive(dead.owner), isAlive(alive.owner), isAlive(ownOwner())], [false, true, true]);
    await sweepDeadRuns();
    assert.deepEqual(await madeBy(dead.owner), []);
    assert.deepEqual(await madeBy(alive.owner), everything);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} removes all of it, children that would be started again included`, async (context) => {
      const { child, owner } = await startDriver(context);
      child.kill(signal);
      const { exitCode } = await child;
      assert.equal(exitCode, signal === 'SIGINT' ? 130 : 143);
      assert.deepEqual(await madeBy(owner), []);
    });
  }

  test('what bears no name of a run is never swept', async () => {
    await assert.rejects(sweepRun('dm-chaos-'), /not the name of a run/);
    await assert.rejects(sweepRun('../etc'), /not the name of a run/);
  });
});
