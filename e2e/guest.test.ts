import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { ReadableStream } from 'node:stream/web';
import { after, before, suite, test } from 'node:test';
import { status, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { WebSocket } from 'ws';
import { createNodeClients } from '../api/guest/node-clients.ts';
import { passMaker } from '../shared/http/node-pass.ts';
import { readStored } from '../shared/logs/stored.ts';
import { metadataOf, refusalIn } from '../shared/node-service/contract.ts';
import { openObjectStore } from '../shared/object-store/open.ts';
import { openRedisRegistry } from '../shared/registry/redis/driver.ts';
import { createLogger } from '../shared/telemetry/logger.ts';
import { callCounter, otherNode, resumeOn, suspend } from './counter-calls.ts';
import { startPlatform, type Platform } from './platform.ts';

/** A wake under emulation, and what is asked for. */
const limitMs = 60_000;
/** Long enough for a call in flight; a program that never ends has to wait it out. */
const drainMs = 2000;

/** Prints how many programs there are in the container. */
const countPrograms = `console.log(require('fs').readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).length)`;

suite('inside an actor', () => {
  let platform: Platform;
  before(async () => {
    platform = await startPlatform({ environment: { DORMOUSE_DRAIN_MS: String(drainMs) } });
    await platform.template('node-counter');
    await platform.client.actors.create({ id: 'inner', template: 'node-counter' });
  });
  after(() => platform[Symbol.asyncDispose]());

  const url = (rest: string): string => `${platform.url}/v1/actors/inner/${rest}`;
  const send = (rest: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url(rest), { ...init, signal: AbortSignal.timeout(limitMs) });

  async function exec(command: string, args: string[], more: object = {}): Promise<Record<string, unknown>> {
    const response = await send('exec', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ command, args, ...more }),
    });
    return { status: response.status, ...((await response.json()) as Record<string, unknown>) };
  }
  /** Runs a piece of JavaScript in the container. */
  const node = (script: string, more: object = {}) => exec('node', ['-e', script], more);

  const filePath = (path: string): string => `files?path=${encodeURIComponent(path)}`;
  const put = (path: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    send(filePath(path), { method: 'PUT', body, headers });
  const get = (path: string) => send(filePath(path));
  const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
  const codeOf = async (response: Response) => ((await response.json()) as { code?: string }).code;

  const content = new Uint8Array(randomBytes(3 * 1024 * 1024));

  test('a program wakes the actor, reads its input, and its outputs and exit code come back', async () => {
    const asleep = await send('exec', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'dormouse-wake': 'never' },
      body: JSON.stringify({ command: 'node' }),
    });
    assert.deepEqual([asleep.status, await codeOf(asleep)], [409, 'actor-asleep']);
    const script = `process.stdin.on('data', (text) => console.log(String(text).toUpperCase() + process.env.A + process.cwd()));
      process.stdin.on('end', () => { console.error('done'); process.exit(7) })`;
    const result = await node(script, { stdin: 'hello', env: ['A=-a-'], cwd: '/var' });
    const outputs = { stdout: 'HELLO-a-/var\n', stderr: 'done\n', truncated: false };
    assert.deepEqual(result, { status: 200, exitCode: 7, ...outputs });
    const missing = await exec('/no/such/program', []);
    assert.deepEqual([missing['status'], missing['code']], [422, 'exec-failed'], JSON.stringify(missing));
    const endless = await node('setInterval(() => {}, 1000)', { timeoutMs: 3000 });
    assert.deepEqual([endless['status'], endless['code']], [504, 'exec-timeout'], JSON.stringify(endless));
    const elsewhere = await node('', { container: 'other' });
    assert.deepEqual([elsewhere['status'], elsewhere['code']], [404, 'container-not-found']);
    const left = await node(countPrograms);
    assert.equal(left['stdout'], '2\n', 'the counter, and the program that looks');
  });

  test('an emulated processor has its protection keys off', async () => {
    const [host] = await platform.client.nodes.list();
    const { arch, accelerator } = host?.runtime ?? {};
    const found = await node(`const text = require('fs').readFileSync('/proc/cpuinfo', 'utf8');
      console.log(['fpu', 'ospke'].filter((flag) => text.split(/\\s+/).includes(flag)).join())`);
    if (arch === 'amd64' && accelerator === 'tcg') assert.equal(found['stdout'], 'fpu\n');
    else assert.equal(found['exitCode'], 0, JSON.stringify(found));
  });

  test('a terminal has a size, takes keys, and is told of a new size', async () => {
    const script = `const size = () => console.log(['size', process.stdout.columns, process.stdout.rows, process.stdout.isTTY].join(' '));
      size(); process.stdout.on('resize', size);
      process.stdin.on('data', (line) => { console.log('got ' + String(line).trim()); process.exit(3) })`;
    const session = openTerminal(script);
    await session.until(/size 100 30 true/);
    session.send(4, JSON.stringify({ cols: 77, rows: 22 }));
    await session.until(/size 77 22 true/);
    session.send(0, 'typed\r');
    await session.until(/got typed/);
    assert.deepEqual(await session.ended, { exitCode: 3 });
  });

  test('a file is put and read back; no path leads out of the container', async () => {
    const written = await put('/srv/made/data', content);
    assert.deepEqual([written.status, await written.json()], [200, { writtenBytes: content.length }]);
    const read = await get('/srv/made/data');
    assert.equal(read.headers.get('dormouse-file-mode'), '0644');
    assert.ok((await bytesOf(read)).equals(content), 'it came back as it was');
    const folder = await get('/srv/made');
    assert.equal(folder.headers.get('content-type'), 'application/x-tar');
    const archive = new Uint8Array(await folder.arrayBuffer());
    const unpacked = await put('/srv/copy', archive, { 'content-type': 'application/x-tar' });
    assert.equal(unpacked.status, 200, await unpacked.text());
    assert.ok((await bytesOf(await get('/srv/copy/data'))).equals(content), 'by the archive as well');
    await node(`require('fs').symlinkSync('../../../../../..', '/srv/up')`);
    // Where the guest keeps its containers: through the link it is a path of the container, where nothing stands.
    assert.equal(await codeOf(await get('/srv/up/run/dormouse-containers')), 'file-not-found');
    assert.equal(await codeOf(await get('/proc/1/root/run')), 'file-not-usable');
    assert.equal(await codeOf(await get('relative')), 'invalid-input');
    assert.equal(await codeOf(await get('/dev/null')), 'file-not-usable');
    const cut = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(100_000)),
      pull: (controller) => controller.error(new Error('broken off')),
    });
    await assert.rejects(send(filePath('/srv/cut'), { method: 'PUT', body: cut, duplex: 'half' }));
    const names = await until(
      async () => String((await node(`console.log(require('fs').readdirSync('/srv').sort().join())`))['stdout']),
      /^copy/,
    );
    assert.equal(names, 'copy,made,up\n');
  });

  test('logs follow the actor to another node; files and the log survive its sleep', async () => {
    const { client } = platform;
    const following = followLogs();
    const say = (word: string) =>
      node(`const fs = require('fs'); fs.writeSync(fs.openSync('/proc/1/fd/1', 'w'), '${word}\\n')`);
    await say('first words');
    await following.until(/first words/);
    const before = await client.actors.get('inner');
    await suspend(client, 'inner');
    await until(async () => (await send('logs?tail=1')).text(), /^first words\n$/);
    assert.equal((await client.actors.get('inner')).state, 'suspended', 'reading logs wakes nobody');
    await resumeOn(client, 'inner', otherNode(before.node));
    await say('second words');
    await following.until(/second words/);
    const lines = following.lines();
    const words = lines.map(({ text }) => text).filter((text) => text.endsWith('words'));
    assert.deepEqual(words, ['first words', 'second words']);
    const numbers = lines.map(({ sequence }) => Number(sequence));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
      'every line, once',
    );
    await following.stop();
    assert.ok((await bytesOf(await get('/srv/made/data'))).equals(content), 'the file slept well');
    await callCounter(client, 'inner');
  });

  test('an actor that writes all the time loses no line by its sleep', async () => {
    const { client } = platform;
    await client.actors.create({ id: 'talker', template: 'node-counter' });
    const talker = client.actor('talker');
    const write = `let next = 0;
      setInterval(() => { console.log('line ' + next++); if (next === 600) process.exit() }, 5)`;
    const leaveBehind = `const stdio = ['ignore', require('fs').openSync('/proc/1/fd/1', 'w'), 'ignore'];
      require('child_process').spawn('node', ['-e', ${JSON.stringify(write)}], { stdio, detached: true }).unref()`;
    const left = await talker.exec({ command: 'node', args: ['-e', leaveBehind] });
    assert.equal(left.exitCode, 0, left.stderr);
    const lines: string[] = [];
    const readUntil = async (last: RegExp): Promise<void> => {
      lines.length = 0;
      for await (const { text } of talker.logs({ follow: true, signal: AbortSignal.timeout(limitMs) })) {
        if (/^line \d+$/.test(text)) lines.push(text);
        if (last.test(text)) return;
      }
    };
    await readUntil(/^line 100$/);
    await suspend(client, 'talker');
    const kept = await Array.fromAsync(talker.logs({ tail: 1 }), ({ text }) => text);
    assert.match(kept.join(), /^line [1-5]\d\d$/, 'what it wrote until it was put to sleep, and no more');
    await callCounter(client, 'talker');
    await readUntil(/^line 599$/);
    const all = Array.from({ length: 600 }, (_, index) => `line ${index}`);
    assert.deepEqual(lines, all, 'every line, once');
  });

  test('a suspend ends a program after the drain bound, and a call for an epoch that is over is refused', async () => {
    await refusesAnOldEpoch();
    const session = openTerminal(`console.log('here'); setInterval(() => {}, 1000)`);
    await session.until(/here/);
    await suspend(platform.client, 'inner');
    const end = (await session.ended) as { problem: { code: string } };
    assert.equal(end.problem.code, 'session-ended');
    const left = await node(countPrograms);
    assert.equal(left['stdout'], '2\n', 'nothing of the program rode along');
  });

  test('what an actor wrote some seconds before its worker was killed is kept', async () => {
    const { client, home, stack } = platform;
    await node(`const fs = require('fs'); fs.writeSync(fs.openSync('/proc/1/fd/1', 'w'), 'last words\\n')`);
    const { node: holder = '', generation } = await client.actors.get('inner');
    const registry = openRedisRegistry(stack.config.redisUrl, createLogger('silent', {}));
    const { uid = '' } = (await registry.getActor('inner').finally(() => registry.close())) ?? {};
    const store = await openObjectStore(`file://${home}/store`);
    const kept = async () => (await readStored({ store, keyRing: [] }, 'inner', uid)) ?? [];
    await until(async () => (await kept()).map(({ text }) => text).join('\n'), /last words/);
    await store.close();
    assert.equal((await client.actors.get('inner')).state, 'running', 'written while it runs');
    stack.processes.get(holder)?.signal('SIGKILL');
    await client.actors.wait('inner', 'suspended', { timeoutMs: limitMs });
    assert.equal((await client.actors.get('inner')).generation, generation, 'it fell back');
    assert.match(await (await send('logs?tail=5')).text(), /last words/);
  });

  async function refusesAnOldEpoch(): Promise<void> {
    const registry = openRedisRegistry(platform.stack.config.redisUrl, createLogger('silent', {}));
    using clients = createNodeClients(registry);
    try {
      const record = await registry.getActor('inner');
      const client = await clients.clientOf(record?.node ?? '');
      assert.ok(client, 'its node announces the service');
      const refusal = (metadata: Metadata): Promise<ServiceError> =>
        buffer(client.readFile({ container: '', path: '/etc/passwd' }, metadata)).then(
          () => assert.fail('it was let in'),
          (error: unknown) => error as ServiceError,
        );
      const pass = passMaker((await registry.getNode(record?.node ?? ''))?.passKey ?? '')();
      const old = await refusal(metadataOf({ pass, actorId: 'inner', epoch: '1.1' }));
      assert.deepEqual([old.code, refusalIn(old)], [status.FAILED_PRECONDITION, 'stale-epoch']);
      const unknown = { pass: undefined, actorId: 'inner', epoch: record?.epoch ?? '' };
      const stranger = await refusal(metadataOf(unknown));
      assert.deepEqual([stranger.code, refusalIn(stranger)], [status.UNAUTHENTICATED, 'unknown-caller']);
    } finally {
      await registry.close();
    }
  }

  function openTerminal(script: string) {
    const query = new URLSearchParams({ tty: 'true', cols: '100', rows: '30' });
    for (const word of ['node', '-e', script]) query.append('command', word);
    const socket = new WebSocket(url(`exec?${query.toString()}`).replace('http', 'ws'));
    let text = '';
    const ended = new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (data: Buffer) => {
        if (data[0] === 1) text += data.subarray(1).toString();
        if (data[0] === 3) resolve(JSON.parse(data.subarray(1).toString()));
      });
    });
    return {
      ended,
      send: (channel: number, payload: string) =>
        socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(payload)])),
      until: (pattern: RegExp) => until(() => Promise.resolve(text), pattern),
    };
  }

  function followLogs() {
    const stop = new AbortController();
    let text = '';
    const read = async (): Promise<void> => {
      const headers = { accept: 'application/x-ndjson' };
      const response = await fetch(url('logs?follow=true'), { headers, signal: stop.signal });
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
    };
    const reading = read().catch(() => undefined);
    return {
      until: (pattern: RegExp) => until(() => Promise.resolve(text), pattern),
      lines: () =>
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { sequence: string; text: string }),
      stop: () => {
        stop.abort();
        return reading;
      },
    };
  }
});

async function until(look: () => Promise<string>, pattern: RegExp): Promise<string> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const text = await look();
    if (pattern.test(text)) return text;
    assert.ok(performance.now() < deadline, `${String(pattern)} did not come; there is: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
