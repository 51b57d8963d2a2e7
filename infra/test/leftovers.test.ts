import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { execa } from 'execa';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { findLeftovers, type Leftover } from './leftovers.ts';
import { lookAround } from './surroundings.ts';

async function runFolder(context: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-left-'));
  context.after(() => removeTree(folder, tmpdir()));
  const before = await lookAround(folder);
  /** Only what names the folder: other tests of the machine come and go meanwhile. */
  const ours = async (limitMs: number) =>
    (await findLeftovers(folder, before, limitMs)).filter(({ what }) => /dormouse-left|left$|sleep/.test(what));
  return { folder, ours };
}

const kindsOf = (left: readonly Leftover[]) => left.map(({ kind }) => kind).sort();

suite('leftovers', () => {
  test('a process is found by its environment and by its command line, and gone when it ended', async (context) => {
    const { folder, ours } = await runFolder(context);
    const byEnvironment = spawn('sleep', ['600'], { env: { DORMOUSE_HOME: path.join(folder, 'home') } });
    const byCommandLine = spawn('tail', ['-f', '/dev/null', '--pid', String(process.pid), `${folder}/x`], {
      env: {},
      stdio: 'ignore',
    });
    const children = [byEnvironment, byCommandLine];
    context.after(() => children.forEach((child) => child.kill('SIGKILL')));
    await Promise.all(children.map((child) => once(child, 'spawn')));
    assert.deepEqual(kindsOf(await ours(0)), ['process', 'process']);
    const ends = Promise.all(children.map((child) => once(child, 'exit')));
    for (const child of children) child.kill('SIGKILL');
    await ends;
    assert.deepEqual(await ours(5_000), []);
  });

  test('a mount, a socket and a file are found', async (context) => {
    const { folder, ours } = await runFolder(context);
    const mountPoint = path.join(folder, 'mount');
    await mkdir(mountPoint);
    await execa('mount', ['-t', 'tmpfs', 'none', mountPoint]);
    const server = createServer().listen(path.join(folder, 'socket'));
    try {
      await once(server, 'listening');
      await writeFile(path.join(folder, 'file'), '');
      const left = await ours(0);
      assert.deepEqual(kindsOf(left), ['file', 'file', 'file', 'mount', 'socket']);
      assert.ok(left.some(({ kind, what }) => kind === 'mount' && what === mountPoint));
    } finally {
      server.close();
      await execa('umount', [mountPoint]);
      await rm(mountPoint, { recursive: true });
    }
  });

  test('a network namespace with a name of ours is found', async (context) => {
    const { ours } = await runFolder(context);
    const name = `dm-${process.pid}-left`;
    await execa('ip', ['netns', 'add', name]);
    try {
      assert.deepEqual(await ours(0), [{ kind: 'network namespace', what: `/run/netns/${name}` }]);
    } finally {
      await execa('ip', ['netns', 'delete', name]);
    }
    assert.deepEqual(await ours(5_000), []);
  });
});
