/** A person's first hour, typed: the command line on a whole platform, with a real actor. */
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { removeTree } from '../shared/process/remove-tree.ts';
import { startPlatform, type Platform } from './platform.ts';

const program = fileURLToPath(new URL('../cli/dormouse.mjs', import.meta.url));
/** A wake under emulation, on a busy machine. */
const limitMs = 90_000;

suite('the command line on a platform', () => {
  let platform: Platform;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-cli-'));
    platform = await startPlatform();
    await platform.template('node-counter');
  });
  after(async () => {
    await platform[Symbol.asyncDispose]();
    await removeTree(folder, tmpdir());
  });

  async function dormouse(...words: string[]) {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [program, ...words], {
      env: { DORMOUSE_URL: platform.url },
      input: '',
      reject: false,
      timeout: limitMs,
    });
    return { code: exitCode, stdout, stderr };
  }

  test('create, call, look inside, put to sleep, explain', async () => {
    // A start that is over before the first look shows no line.
    const boots = ['-t', 'node-counter', '--cold-start'];
    const created = await dormouse('actor', 'create', 'typed', ...boots, '-l', 'made-by=hand', '-q');
    assert.deepEqual([created.code, created.stdout], [0, 'typed'], created.stderr);
    const called = await dormouse('invoke', 'typed', '/');
    assert.equal(called.code, 0, called.stderr);
    assert.match(called.stderr, /^typed: resuming$/m, 'it woke while somebody watched');
    assert.match(called.stderr, /^HTTP 200, cold start \(queue [\d.]+ ms, .*\)$/m);
    const awake = await dormouse('exec', 'typed', '--', 'node', '-e', 'console.log(6 * 7); process.exit(9)');
    assert.deepEqual([awake.code, awake.stdout], [9, '42'], awake.stderr);
    const typed = await typing();
    assert.equal(typed.exitCode, 5, typed.stdout);
    assert.match(typed.stdout, /size 77 22 true[^]*size 66 33 true[^]*got keys/);
    const write = `const fs = require('fs'); fs.writeSync(fs.openSync('/proc/1/fd/1', 'w'), 'seen in the log\\n')`;
    assert.equal((await dormouse('exec', 'typed', '--', 'node', '-e', write)).code, 0);
    const slept = await dormouse('actor', 'suspend', 'typed', '--wait', '-o', 'json');
    const operation = JSON.parse(slept.stdout) as { state: string; phases: Record<string, number> };
    assert.equal(operation.state, 'done');
    assert.match(slept.stderr, /suspend typed: (queued|running|done)/);
    const waited = await dormouse('wait', 'typed', '--state', 'suspended', '-o', 'yaml');
    assert.match(waited.stdout, /^state: suspended$/m);
    const explained = await dormouse('explain', 'typed');
    assert.match(explained.stdout, /^state +suspended$[^]*^AT +STATE +NODE/m);
    assert.match((await dormouse('logs', 'typed')).stdout, /^seen in the log$/m);
    const refused = await dormouse('invoke', 'typed', '--no-wake');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /actor-asleep/);
    const listed = await dormouse('actor', 'list', '-l', 'made-by=hand', '-q');
    assert.equal(listed.stdout, 'typed');
    assert.equal((await dormouse('actor', 'delete', 'typed', '--wait')).code, 0);
    assert.equal((await dormouse('actor', 'show', 'typed')).code, 3);
  });

  /** In a terminal of its own, which is made larger meanwhile; the keys end the program with 5. */
  async function typing() {
    const inside = `const size = () => console.log(['size', process.stdout.columns, process.stdout.rows, process.stdout.isTTY].join(' '));
      size(); process.stdout.on('resize', size);
      process.stdin.on('data', (keys) => { console.log('got ' + String(keys).trim()); process.exit(5) })`;
    const resized = path.join(folder, 'resize');
    // As a window would: whoever has the terminal in the foreground is told by the kernel.
    const window = `(until [ -e "$RESIZED" ]; do sleep 0.1; done; stty cols 66 rows 33 </dev/tty) &`;
    const command = `stty cols 77 rows 22; ${window} exec "$NODE" "$PROGRAM" exec -it typed -- node -e "$INSIDE"`;
    const terminal = execa('script', ['-qec', command, '/dev/null'], {
      env: { DORMOUSE_URL: platform.url, NODE: process.execPath, PROGRAM: program, INSIDE: inside, RESIZED: resized },
      reject: false,
      timeout: limitMs,
      stdin: 'pipe',
    });
    let shown = '';
    let sent = false;
    terminal.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      if (shown.includes('size 77')) void writeFile(resized, '');
      if (shown.includes('size 66') && !sent) sent = terminal.stdin.write('keys\r');
    });
    return await terminal;
  }

  test('status is ready, and the doctor finds the platform at its port', async () => {
    const status = await dormouse('status');
    assert.equal(status.code, 0, status.stdout + status.stderr);
    const { stdout } = await execa(process.execPath, [program, 'doctor', '-o', 'json'], {
      env: {
        DORMOUSE_HOME: platform.home,
        DORMOUSE_ASSETS: platform.stack.config.assets,
        DORMOUSE_PORT: new URL(platform.url).port,
      },
      reject: false,
      timeout: limitMs,
    });
    const { items } = JSON.parse(stdout) as { items: { name: string; verdict: string; says: string }[] };
    const saying = (name: string) => items.find((item) => item.name === name);
    assert.match(saying('port')?.says ?? '', /is ready$/);
    for (const name of ['user', 'tap device', 'tools', 'assets', 'redis', 'store']) {
      assert.equal(saying(name)?.verdict, 'ok', `${name}: ${saying(name)?.says}`);
    }
  });
});
