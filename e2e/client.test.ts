/**
 * The client and the command line against the real api and a stand-in node: what is asked of an actor's inside, and the
 * package as others install it. No VM is needed.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { WebSocket } from 'ws';
import { startFixture, type Fixture } from '../api/stand-in/fixture.ts';
import { createClient, type DormouseClient } from '../sdk/client.ts';
import { removeTree } from '../shared/process/remove-tree.ts';

const program = fileURLToPath(new URL('../cli/dormouse.mjs', import.meta.url));
const limitMs = 60_000;

suite('the client on a real api', () => {
  let api: Fixture;
  let url: string;
  let client: DormouseClient;
  let folder: string;
  before(async () => {
    api = await startFixture((request, response) => {
      request.pipe(response.writeHead(200, { 'x-path': request.url ?? '' }));
    });
    url = `http://127.0.0.1:${api.port}`;
    client = createClient({ url, WebSocket });
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-client-'));
    await api.sleeping('alice');
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
    await removeTree(folder, tmpdir());
  });

  const dormouse = (words: readonly string[], input: string | Buffer = '') =>
    execa(process.execPath, [program, ...words], {
      env: { DORMOUSE_URL: url, NO_COLOR: '1' },
      input,
      reject: false,
      timeout: limitMs,
      stripFinalNewline: false,
    });

  test('a request streams into its actor and the answer back out', async () => {
    const pieces = ReadableStream.from(['one ', 'two']).pipeThrough(new TextEncoderStream());
    const response = await client.actor('alice').fetch('/echo?a=b', { method: 'POST', body: pieces });
    assert.deepEqual([await response.text(), response.headers.get('x-path')], ['one two', '/echo?a=b']);
  });

  test('programs: to their end, and as a session with input, sizes and an exit code', async () => {
    const alice = client.actor('alice');
    const result = await alice.exec({ command: 'echo', args: ['a'], stdin: 'hello' });
    assert.deepEqual([result.exitCode, result.stdout, result.stderr], [3, 'hello', 'echo a ']);
    await using session = await alice.session(['echo', 'b'], { terminal: { columns: 10, rows: 5 } });
    session.write('hi');
    session.resize({ columns: 9, rows: 8 });
    session.endInput();
    const seen: string[] = [];
    for await (const { stream, data } of session.output) seen.push(`${stream} ${new TextDecoder().decode(data)}`);
    assert.deepEqual(seen, ['stderr echo b ', 'stdout hi', 'stdout 9x8']);
    assert.equal(await session.exitCode, 3);
    const failing = await alice.session(['missing']);
    await assert.rejects(failing.exitCode, { code: 'exec-failed' });
    await assert.rejects(client.actor('nobody').session(['echo']), { code: 'actor-not-found', status: 404 });
  });

  test('an aborted session ends its program', async () => {
    const abort = new AbortController();
    const session = await client.actor('alice').session(['echo'], { signal: abort.signal });
    const reason = new Error('enough');
    abort.abort(reason);
    await assert.rejects(session.exitCode, reason);
  });

  test('files go in and come out; logs are read', async () => {
    const alice = client.actor('alice');
    const content = new Uint8Array(300_000).fill(7);
    assert.equal(await alice.files.put('/srv/a', content, { mode: 0o640 }), content.length);
    const file = await alice.files.get('/srv/a');
    assert.deepEqual([file.isFolder, file.mode, file.sizeBytes], [false, 0o640, content.length]);
    assert.deepEqual(new Uint8Array(await file.response.arrayBuffer()), content);
    await assert.rejects(alice.files.get('/none'), { code: 'file-not-found' });
    const line = { unixNanos: 1_000_000_000n, container: 'main', isError: false };
    api.node.service.lines.push({ ...line, sequence: 1n, text: 'one' }, { ...line, sequence: 2n, text: 'two' });
    const lines: string[] = [];
    for await (const { text } of alice.logs({ tail: 1 })) lines.push(text);
    assert.deepEqual(lines, ['two']);
  });

  test('an actor of a scope is gone after it', async () => {
    let id: string;
    {
      await using made = await client.temporary({ template: 't-alice' });
      ({ id } = made);
      assert.equal(await (await made.fetch('/', { method: 'POST', body: 'x' })).text(), 'x');
    }
    const state = await client.actors.get(id).then(
      (actor) => actor.state,
      (error: unknown) => (error as { code: string }).code,
    );
    assert.ok(['actor-not-found', 'deleting'].includes(state), state);
  });

  test('dormouse exec passes input, output and the exit code through', async () => {
    const piped = await dormouse(['exec', '-i', 'alice', '--', 'echo', '-x'], 'typed');
    assert.deepEqual([piped.exitCode, piped.stdout, piped.stderr], [3, 'typed', 'echo -x ']);
    const failed = await dormouse(['exec', 'alice', 'missing']);
    assert.equal(failed.exitCode, 1);
    assert.match(failed.stderr, /exec-failed/);
    const absent = await dormouse(['exec', 'nobody', 'echo']);
    assert.equal(absent.exitCode, 3);
    const noTerminal = await dormouse(['exec', '-it', 'alice', 'echo']);
    assert.equal(noTerminal.exitCode, 2);
  });

  test('dormouse exec -it gives the program this terminal: its keys and its size', async () => {
    // As a window would: whoever has the terminal in the foreground is told of the new size by the kernel.
    const window = `(until [ -e "$RESIZED" ]; do sleep 0.1; done; stty cols 66 rows 33 </dev/tty) &`;
    const command = `stty cols 77 rows 22; ${window} exec "$NODE" "$PROGRAM" exec -it alice echo`;
    const resized = path.join(folder, 'resize');
    const typist = execa('script', ['-qec', command, '/dev/null'], {
      env: { DORMOUSE_URL: url, TERM: 'xterm', NODE: process.execPath, PROGRAM: program, RESIZED: resized },
      reject: false,
      timeout: limitMs,
      stdin: 'pipe',
    });
    let shown = '';
    const seen = Promise.withResolvers<undefined>();
    typist.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      if (!shown.includes('66x33')) void writeFile(resized, '');
      // Ctrl-C is a key like any other: the program gets it, and the stand-in echoes it.
      else if (shown.includes('\x03')) seen.resolve(undefined);
      else typist.stdin.write('\x03');
    });
    await seen.promise;
    assert.equal(api.node.service.programs, 1, 'it still runs');
    typist.kill();
    await typist;
  });

  test('dormouse cp copies a file in and out, logs and a wait are shown', async () => {
    const file = path.join(folder, 'a.txt');
    await writeFile(file, 'content');
    const put = await dormouse(['cp', file, 'alice:/srv/']);
    assert.deepEqual([put.exitCode, put.stderr], [0, '7 bytes written to alice:/srv/a.txt\n']);
    const got = await dormouse(['cp', 'alice:/srv/a.txt', path.join(folder, 'b.txt')]);
    assert.equal(got.exitCode, 0, got.stderr);
    assert.equal(await readFile(path.join(folder, 'b.txt'), 'utf8'), 'content');
    const shown = await dormouse(['cp', 'alice:/srv/a.txt', '-']);
    assert.equal(shown.stdout, 'content');
    assert.equal((await dormouse(['cp', 'here', 'there'])).exitCode, 2);
    const logs = await dormouse(['logs', 'alice', '-t']);
    assert.match(logs.stdout, /^1970-01-01T00:00:01.000Z one\n.*two\n$/);
    const json = await dormouse(['logs', 'alice', '--tail', '1', '-o', 'json']);
    assert.equal((JSON.parse(json.stdout) as { text: string }).text, 'two');
    const slept = await dormouse(['actor', 'suspend', 'alice', '--wait', '-o', 'json']);
    assert.equal((JSON.parse(slept.stdout) as { state: string }).state, 'done');
    const late = await dormouse(['wait', 'alice', '--state', 'running', '--timeout', '0.1']);
    assert.equal(late.exitCode, 4, late.stderr);
  });
});
