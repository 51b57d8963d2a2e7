import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { lockHome } from './home-lock.ts';

async function temporaryHome(context: TestContext): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), 'dormouse-lock-'));
  context.after(() => removeTree(home, tmpdir()));
  return home;
}

const namesHolder = (pid: number) => (error: unknown) =>
  error instanceof DormouseError && error.code === 'precondition-missing' && error.message.includes(`process ${pid}`);

suite('the lock on DORMOUSE_HOME', () => {
  test('a second stack is refused and told who holds it; a released lock can be taken again', async (context) => {
    const home = await temporaryHome(context);
    const first = await lockHome(home);
    await assert.rejects(lockHome(home), namesHolder(process.pid));
    await first.release();
    await using _second = await lockHome(home);
  });

  test('another path to the same folder is the same lock', async (context) => {
    const home = await temporaryHome(context);
    await using _lock = await lockHome(home);
    const alias = path.join(home, 'alias');
    await symlink(home, alias);
    await assert.rejects(lockHome(alias), namesHolder(process.pid));
  });

  test('kill -9 of the holder frees it', async (context) => {
    const home = await temporaryHome(context);
    const script = `import { lockHome } from ${JSON.stringify(import.meta.resolve('./home-lock.ts'))};
      await lockHome(process.argv[1]); console.log('held'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script, home], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    context.after(() => holder.kill('SIGKILL'));
    await once(holder.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
    await assert.rejects(lockHome(home), namesHolder(holder.pid ?? -1));
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await using _lock = await lockHome(home);
  });
});
