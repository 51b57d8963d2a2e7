/**
 * The client as others use it: packed, installed into an empty project, and run by the machine's own Node (20 or later) and
 * by Chromium, against the real api with a stand-in node. Also that the examples of docs/sdk.md run as they stand.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { chromium } from 'playwright-core';
import { startFixture, type Fixture } from '../api/stand-in/fixture.ts';
import { findChromium } from '../shared/process/find-chromium.ts';
import { removeTree } from '../shared/process/remove-tree.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const limitMs = 120_000;

/** Wakes an actor, runs a program in it, reads a refusal, and says what it saw. */
const tour = `
  const alice = dormouse.actor('alice');
  const answer = await (await alice.fetch('/hello')).text();
  const { exitCode } = await alice.exec({ command: 'echo' });
  await using session = await alice.session(['echo']);
  session.endInput();
  const sessionCode = await session.exitCode;
  const refusal = await dormouse.actors.get('nobody').catch((error) => error);
  const typed = refusal instanceof DormouseApiError && refusal.code;
  const ids = [];
  for await (const { id } of dormouse.actors.list()) ids.push(id);`;
const seen = { answer: 'hello', exitCode: 3, sessionCode: 3, typed: 'actor-not-found', ids: ['alice'] };
const found = '{ answer, exitCode, sessionCode, typed, ids }';

suite('the packed client', () => {
  let api: Fixture;
  let url: string;
  let folder: string;
  let project: string;
  before(async () => {
    api = await startFixture((_request, response) => response.end('hello'));
    url = `http://127.0.0.1:${api.port}`;
    await api.sleeping('alice');
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-packed-'));
    project = await install(folder);
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
    await removeTree(folder, tmpdir());
  });

  test("runs on the machine's own Node, with the WebSocket of ws", async () => {
    const script = `import { createClient, DormouseApiError } from 'dormouse-client';
      import { WebSocket } from 'ws';
      const dormouse = createClient({ url: process.argv[2], WebSocket });
      ${tour.replace('await using session', 'const session')}
      console.log(JSON.stringify(${found}));`;
    await writeFile(path.join(project, 'tour.mjs'), script);
    const { stdout } = await execa(await machineNode(), ['tour.mjs', url], { cwd: project, timeout: limitMs });
    assert.deepEqual(JSON.parse(stdout), seen);
  });

  test('its types fit a strict project', async () => {
    await writeFile(
      path.join(project, 'typed.ts'),
      `import { createClient, type Actor } from 'dormouse-client';
      const actor: Actor = await createClient({ url: 'http://localhost' }).actors.get('a');
      export const state: 'running' | 'suspended' | undefined = actor.state === 'running' ? actor.state : undefined;`,
    );
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
    await execa('tsc', [...options, '--lib', 'es2023,dom,esnext.disposable', 'typed.ts'], {
      ...{ cwd: project, timeout: limitMs, preferLocal: true, localDir: repository },
    });
  });

  test('runs in Chromium', async () => {
    const dist = path.join(project, 'node_modules/dormouse-client/dist');
    await using site = await serveBeside(url, dist);
    const browser = await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(`${site.url}/site/`);
      const result: unknown = await page.evaluate(`(async () => {
        const { createClient, DormouseApiError } = await import('/site/client.js');
        const dormouse = createClient({ url: location.origin });
        ${tour.replace('await using session', 'const session')}
        return ${found};
      })()`);
      assert.deepEqual(result, seen);
    } finally {
      await browser.close();
    }
  });

  test('the examples of docs/sdk.md run as they stand', async () => {
    const page = await readFile(path.join(repository, 'docs/sdk.md'), 'utf8');
    const examples = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, text = '']) => text);
    assert.ok(examples.length >= 5, `${examples.length} examples`);
    const [head = '', ...rest] = examples;
    const bodies = rest.map((text) => `{\n${text}}`).join('\n');
    const script = `${head}\n${bodies}`.replaceAll('http://127.0.0.1:7070', url).replaceAll("'counter'", "'t-alice'");
    await writeFile(path.join(project, 'examples.mts'), script);
    const ran = await execa(process.execPath, ['examples.mts'], { cwd: project, timeout: limitMs, reject: false });
    assert.equal(ran.exitCode, 0, `${script}\n${ran.stderr}`);
  });
});

/** Packs a copy of sdk/ and installs the archive into an empty project; nothing is asked of a registry. */
async function install(folder: string): Promise<string> {
  const source = path.join(folder, 'sdk');
  const project = path.join(folder, 'project');
  await cp(path.join(repository, 'sdk'), source, { recursive: true });
  const PATH = `${path.join(repository, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`;
  const options = { env: { PATH }, timeout: limitMs };
  const packed = await execa('npm', ['pack', '--json', '--pack-destination', folder], { ...options, cwd: source });
  const [, filename] = /"filename": "([^"]+)"/.exec(packed.stdout) ?? [];
  await cp(path.join(source, 'package.json'), path.join(folder, 'packed.json'));
  await execa('mkdir', [project]);
  await writeFile(path.join(project, 'package.json'), '{"name": "empty", "type": "module", "private": true}');
  const words = ['install', '--offline', '--no-audit', '--no-fund', path.join(folder, filename ?? '')];
  await execa('npm', words, { ...options, cwd: project });
  await symlink(path.join(repository, 'node_modules/ws'), path.join(project, 'node_modules/ws'));
  return project;
}

/** Not the one that comes with our packages. */
async function machineNode(): Promise<string> {
  const folders = (process.env['PATH'] ?? '').split(':').filter((name) => !name.endsWith('node_modules/.bin'));
  const { stdout } = await execa('sh', ['-c', 'command -v node'], { env: { PATH: folders.join(':') } });
  return stdout;
}

/** A page of the api's own origin: the api has no say about other origins. */
async function serveBeside(url: string, dist: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? '/', url);
    if (pathname.startsWith('/site/')) {
      const name = pathname.slice('/site/'.length);
      const type = name === '' ? 'text/html' : 'text/javascript';
      const text = name === '' ? Promise.resolve('<!doctype html>') : readFile(path.join(dist, name), 'utf8');
      void text.then((body) => outgoing.writeHead(200, { 'content-type': type }).end(body));
      return;
    }
    const { method = 'GET', headers } = incoming;
    const onwards = request(new URL(incoming.url ?? '/', url), { method, headers }, (answer) => {
      answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers));
    });
    incoming.pipe(onwards);
  });
  server.on('upgrade', (incoming, socket, head) => {
    const onwards = request(new URL(incoming.url ?? '/', url), { method: 'GET', headers: incoming.headers });
    onwards.on('upgrade', (answer, upstream, rest) => {
      const lines = answer.rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
      socket.write(rest);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    onwards.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
}
