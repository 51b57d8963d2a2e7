/** The real program, started as a user starts it, against a small real server. */
import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rmdir, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite, test, type TestContext } from 'node:test';
import { execa, execaSync } from 'execa';
import { problem, startStubApi, type StubAnswer, type StubRequest } from '../sdk/stub-api.ts';

const program = path.join(import.meta.dirname, 'dormouse.mjs');
/** A start of Node with type stripping on a busy machine takes seconds; a program that hangs must not hang the suite. */
const limitMs = 60_000;

interface Run {
  readonly node?: string;
  readonly input?: string;
  readonly env?: Record<string, string>;
}

async function dormouse(words: readonly string[], { node = process.execPath, input = '', env = {} }: Run = {}) {
  const options = { input, timeout: limitMs, reject: false, extendEnv: false } as const;
  const result = await execa(node, [program, ...words], {
    ...options,
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

async function against(
  context: TestContext,
  answers: Record<string, StubAnswer | ((request: StubRequest) => StubAnswer | Promise<StubAnswer>)>,
) {
  const api = await startStubApi((request) => {
    const given = answers[request.line] ?? problem(404, 'route-not-found', { detail: `no route ${request.line}` });
    return typeof given === 'function' ? given(request) : given;
  });
  context.after(() => api[Symbol.asyncDispose]());
  const env = { DORMOUSE_URL: api.url, DORMOUSE_TOKEN: 'secret' };
  const run = (words: readonly string[], options: Run = {}) =>
    dormouse(words, { ...options, env: { ...env, ...options.env } });
  return { api, run };
}

const alice = {
  id: 'alice',
  template: 'counter',
  state: 'suspended',
  generation: 3,
  labels: { team: 'blue' },
  since: '',
};

suite('dormouse', { concurrency: true }, () => {
  test('loadtest is handed over, with its words, its output and its exit code', async () => {
    const [help, wrong] = await Promise.all([
      dormouse(['loadtest', '--help']),
      dormouse(['loadtest', '--scenario', 'tepid']),
    ]);
    assert.deepEqual([help.code, wrong.code], [0, 2]);
    assert.match(help.stdout, /--scenario name +cold, warm, hot/);
    assert.match(wrong.stderr, /--scenario: /);
  });

  test('without words, with unknown words, with --help', async () => {
    const [none, unknown, help, explained] = await Promise.all([
      dormouse([]),
      dormouse(['dance']),
      dormouse(['--help']),
      dormouse(['actor', 'create', '--help']),
    ]);
    assert.deepEqual([none.code, unknown.code, help.code, explained.code], [2, 2, 0, 0]);
    assert.match(unknown.stderr, /unknown command 'dance'/);
    assert.equal(unknown.stdout, '');
    assert.match(help.stdout, /actor\|actors +Create actors[^]*loadtest[^]*Exit codes:/);
    assert.match(explained.stdout, /--cold-start[^]*Example:\n {2}dormouse actor create alice/);
  });

  test('usage errors are exit code 2, on standard error, and reach no server', async (context) => {
    const { api, run } = await against(context, {});
    const wrong = [
      ['actor', 'show'],
      ['actor', 'create', 'alice'],
      ['actor', 'create', '-t', 'counter', '--label', 'blue'],
      ['nodes', '-o', 'xml'],
      ['nodes', '--url', 'ftp://x'],
      ['invoke', 'alice', '-H', 'nonsense'],
    ];
    for (const { code, stdout, stderr } of await Promise.all(wrong.map((words) => run(words)))) {
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, /^dormouse: .*\nTry /);
    }
    assert.deepEqual(api.lines(), []);
  });

  test('when nothing listens, it says where and what to do', async () => {
    const api = await startStubApi(() => ({}));
    await api[Symbol.asyncDispose]();
    const { code, stderr } = await dormouse(['nodes', '--url', api.url]);
    assert.equal(code, 5);
    assert.ok(stderr.includes(`no answer from ${api.url}`), stderr);
    assert.match(stderr, /ECONNREFUSED[^]*npm start/);
  });

  test('a refusal is shown whole: fields, details, request id', async (context) => {
    const facts = {
      detail: 'id: taken',
      errors: [
        { field: 'id', message: 'taken' },
        { field: 'labels.team', message: 'too long' },
      ],
      nextStep: 'Correct the fields.',
      details: { containerLog: 'line 1\nline \x1b[2J2' },
    };
    const { run } = await against(context, { 'POST /v1/actors': problem(400, 'invalid-input', facts) });
    const { code, stdout, stderr } = await run(['actor', 'create', '-t', 'counter']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
      stderr,
      [
        'dormouse actor create: id: taken (invalid-input)',
        '  labels.team: too long',
        '  containerLog: line 1\n    line  [2J2',
        '  Correct the fields.',
        '  request r-1',
      ].join('\n'),
    );
  });

  test('actor create sends what it was told, with the token', async (context) => {
    const { api, run } = await against(context, { 'POST /v1/actors': { status: 201, body: alice } });
    const { code, stdout } = await run(
      'actor create alice --template counter -l team=blue -l a=b=c --cold-start'.split(' '),
    );
    assert.equal(code, 0);
    assert.match(stdout, /^actor {7}alice\n/);
    assert.match(stdout, /\ngeneration {2}3\n/);
    const [request] = api.requests;
    assert.equal(request?.headers.authorization, 'Bearer secret');
    const sent = { id: 'alice', template: 'counter', labels: { team: 'blue', a: 'b=c' }, coldStart: true };
    assert.deepEqual(JSON.parse(request.body), sent);
  });

  test('lists: a table, JSON, and a word about what is not shown', async (context) => {
    const bob = { ...alice, id: 'bob', state: 'running', node: 'node-1' };
    const { run } = await against(context, {
      'GET /v1/actors?limit=100': { body: { items: [alice, bob] } },
      'GET /v1/actors?state=running&limit=2': { body: { items: [bob, alice], nextCursor: 'x' } },
    });
    const table = await run(['actor', 'list']);
    assert.match(table.stdout, /^ACTOR +TEMPLATE +STATE .*\nalice +counter +suspended .*team=blue\nbob .*node-1/);
    assert.equal(table.stderr, '');
    const short = await run(['actor', 'list', '--state', 'running', '--limit', '1', '-o', 'json']);
    assert.deepEqual(JSON.parse(short.stdout), { items: [bob] });
    assert.match(short.stderr, /there are more/);
  });

  test('lists as YAML and as ids; one thing as YAML', async (context) => {
    const { run } = await against(context, {
      'GET /v1/actors?limit=100': { body: { items: [alice, { ...alice, id: 'bob' }] } },
      'GET /v1/actors/alice': { body: alice },
    });
    const [yaml, ids, one] = await Promise.all([
      run(['actor', 'list', '-o', 'yaml']),
      run(['actor', 'list', '-q']),
      run(['actor', 'show', 'alice', '-o', 'yaml']),
    ]);
    assert.match(yaml.stdout, /^items:\n {2}- id: alice\n {4}template: counter\n/);
    assert.equal(ids.stdout, 'alice\nbob');
    assert.match(one.stdout, /^id: alice\n[^]*labels:\n {2}team: blue\n/);
  });

  test('on a terminal a table fits its width, and states have colours unless NO_COLOR is set', async (context) => {
    const { api } = await against(context, {
      'GET /v1/actors?limit=100': {
        body: { items: [alice, { ...alice, state: 'running', template: 'a-name-that-is-very-long' }] },
      },
    });
    const command = `stty cols 60 rows 20; exec "$NODE" "$PROGRAM" actor list`;
    const shown = (env: Record<string, string>) =>
      execa('script', ['-qec', command, '/dev/null'], {
        env: { NODE: process.execPath, PROGRAM: program, DORMOUSE_URL: api.url, TERM: 'xterm', ...env },
        stdin: 'ignore',
        timeout: limitMs,
      });
    const [coloured, plain] = await Promise.all([shown({ NO_COLOR: '' }), shown({ NO_COLOR: '1' })]);
    assert.match(plain.stdout, /^alice +a-name\S*… +running/m);
    for (const line of plain.stdout.split('\r\n')) assert.ok(line.length <= 60, line);
    assert.ok(!plain.stdout.includes('\x1b['), JSON.stringify(plain.stdout));
    assert.ok(coloured.stdout.includes('\x1b[32mrunning\x1b[39m'), JSON.stringify(coloured.stdout));
  });

  test('exit codes tell what was not there, what was not in time, and Ctrl-C', async (context) => {
    const { run } = await against(context, {
      'GET /v1/actors/nobody': problem(404, 'actor-not-found', { detail: 'no actor nobody' }),
      'GET /v1/actors/alice/invoke/': problem(504, 'wake-timeout', { retryable: true }),
      'GET /v1/actors/alice/explain': { body: { state: 'resuming', waitsFor: 'its node' } },
    });
    const [absent, late] = await Promise.all([run(['actor', 'show', 'nobody']), run(['invoke', 'alice'])]);
    assert.deepEqual([absent.code, late.code], [3, 4], absent.stderr + late.stderr);
  });

  test('while an actor wakes, a line says what it does; then the answer says where the time went', async (context) => {
    const woken = Promise.withResolvers<StubAnswer>();
    const headers = { 'dormouse-start': 'warm', 'server-timing': 'queue;dur=3.1, total;dur=9' };
    const { run } = await against(context, {
      'GET /v1/actors/alice/invoke/': () => woken.promise,
      'GET /v1/actors/alice/explain': () => {
        setImmediate(() => woken.resolve({ headers, body: 'hello' }));
        return { body: { state: 'resuming', waitsFor: 'node-1' } };
      },
    });
    const { code, stdout, stderr } = await run(['invoke', 'alice']);
    assert.deepEqual([code, stdout], [0, 'hello']);
    assert.equal(stderr, 'alice: resuming\nHTTP 200, warm start (queue 3.1 ms, total 9 ms)');
  });

  test('the version is shown, and a group may be named in the plural', async (context) => {
    const { run } = await against(context, { 'GET /v1/actors?limit=100': { body: { items: [alice] } } });
    const [version, plural] = await Promise.all([run(['--version']), run(['actors', 'list', '-q'])]);
    assert.deepEqual([version.code, plural.code, plural.stdout], [0, 0, 'alice'], version.stderr + plural.stderr);
    assert.match(version.stdout, /^\d+\.\d+\.\d+$/);
  });

  test('completion knows the commands and options of each shell', async (context) => {
    const { run } = await against(context, {});
    const [bash, fish, csh] = await Promise.all(['bash', 'fish', 'csh'].map((shell) => run(['completion', shell])));
    const ask = (...words: string[]) =>
      execa('bash', [
        '-c',
        `${bash?.stdout ?? ''}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dormouse; echo "\${COMPREPLY[*]}"`,
        ...['', 'dormouse', ...words],
      ]);
    assert.equal((await ask('act')).stdout, 'actor');
    assert.match((await ask('actor', '')).stdout, /create delete explain/);
    assert.match((await ask('actor', 'create', 'alice', '--')).stdout, /--cold-start .*--template/);
    assert.equal((await ask('logs', 'alice', '--fol')).stdout, '--follow');
    assert.match(fish?.stdout ?? '', /complete -c dormouse -n '__fish_seen_subcommand_from logs' -l follow/);
    assert.deepEqual([csh?.code, csh?.stdout], [2, '']);
  });

  test('rebuild waits for its end and shows what was found; damage is exit code 1', async (context) => {
    const operation = { id: 'r1', kind: 'rebuild', target: 'registry', state: 'running', createdAt: '' };
    const found = (damaged: number) => ({ ...operation, state: 'done', counts: { restored: 2, known: 5, damaged } });
    let damaged = 0;
    const { api, run } = await against(context, {
      'POST /v1/admin/rebuild': { status: 202, body: operation },
      'GET /v1/operations/r1': () => ({ body: found(damaged) }),
    });
    const whole = await run(['rebuild']);
    assert.equal(whole.code, 0, whole.stderr);
    assert.match(whole.stdout, /restored +2\nknown +5\ndamaged +0/);
    damaged = 1;
    const short = await run(['rebuild', '-o', 'json']);
    assert.equal(short.code, 1);
    assert.deepEqual(JSON.parse(short.stdout), { id: 'r1', counts: found(1).counts });
    assert.match(short.stderr, /1 actors or templates cannot be read: "dormouse fsck"/);
    assert.equal(api.lines().filter((line) => line === 'POST /v1/admin/rebuild').length, 2);
  });

  test('fsck checks a store without any api, with exit codes of its own', async (context) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-cli-'));
    context.after(() => rmdir(folder));
    const empty = await dormouse(['fsck', '--store', pathToFileURL(folder).href]);
    assert.equal(empty.code, 0, empty.stderr);
    assert.match(empty.stdout, /no damage/);
    const wrong = await dormouse(['fsck', '--nonsense']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /dormouse fsck \[options\]/);
  });

  test('explain tells the facts, then the events', async (context) => {
    const facts = {
      id: 'alice',
      state: 'resuming',
      since: 'x',
      reason: 'called',
      waitsFor: 'node-1',
      then: 'it fails',
    };
    const events = [{ at: '2030-01-01T00:00:00Z', state: 'resuming', node: 'node-1', epoch: '1.2', reason: 'called' }];
    const explanation = { ...facts, events };
    const { run } = await against(context, { 'GET /v1/actors/alice/explain': { body: explanation } });
    const [table, json] = await Promise.all([
      run(['actor', 'explain', 'alice']),
      run(['actor', 'explain', 'alice', '-o', 'json']),
    ]);
    assert.match(
      table.stdout,
      /\nwaitsFor +node-1\nthen +it fails\n\nAT .*REASON\n2030-\S+ +resuming +node-1 +1\.2 +called$/,
    );
    assert.deepEqual(JSON.parse(json.stdout), explanation);
  });

  test('a job is followed to its end with --wait, with its phases', async (context) => {
    const operation = { id: 'o', kind: 'resume', target: 'alice', state: 'queued' };
    const seen = [
      operation,
      { ...operation, state: 'running', phases: { vmm: 12.34 } },
      { ...operation, state: 'done' },
    ];
    const { api, run } = await against(context, {
      'POST /v1/actors/alice/resume': { status: 202, body: operation },
      'GET /v1/operations/o': () => ({ body: seen.shift() ?? {} }),
    });
    const { code, stdout, stderr } = await run(['actor', 'resume', 'alice', '--node', 'node-2', '--wait']);
    assert.equal(code, 0);
    assert.match(stdout, /state +done/);
    assert.equal(stderr, 'resume alice: queued\nresume alice: running\nresume alice: done');
    assert.equal(api.requests[0]?.body, '{"node":"node-2"}');
  });

  test('a template comes from a file or standard input; --wait gives the reason of its failure', async (context) => {
    const spec = { name: 't', containers: [{ name: 'main', image: 'dir:/x' }] };
    const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-cli-'));
    const file = path.join(folder, 't.json');
    context.after(async () => {
      await unlink(file);
      await rmdir(folder);
    });
    await writeFile(file, JSON.stringify(spec));
    const error = { code: 'probe-failed', message: 'no answer on 8080', retryable: false, details: { log: 'boom' } };
    const { api, run } = await against(context, {
      'POST /v1/templates': { status: 201, body: { name: 't', spec, state: 'preparing' } },
      'GET /v1/templates/t': { body: { name: 't', spec, state: 'failed', error } },
    });
    const applied = await run(['template', 'apply', file]);
    assert.match(applied.stdout, /containers +main=dir:\/x/);
    const failed = await run(['template', 'apply', '-', '--wait'], { input: JSON.stringify(spec) });
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /the preparation of t failed: no answer on 8080 \(probe-failed\)\n {2}log: boom/);
    assert.deepEqual(
      api.requests.filter(({ body }) => body !== '').map(({ body }) => JSON.parse(body) as unknown),
      [spec, spec],
    );
    const broken = await run(['template', 'apply', '-'], { input: '{' });
    assert.match(broken.stderr, /- is neither JSON nor YAML: /);
  });

  test('invoke passes bytes through and turns an error status into exit code 1', async (context) => {
    const headers = { 'dormouse-start': 'warm' };
    const { api, run } = await against(context, {
      'POST /v1/actors/alice/invoke/x?y=1': ({ body }) => ({ headers, body: `echo ${body}` }),
      'GET /v1/actors/alice/invoke/': { status: 500, headers, body: 'broken' },
    });
    const words = ['invoke', 'alice', '/x?y=1', '-d', '@-', '-H', 'X-Mine: 1', '--no-wake'];
    const good = await run(words, { input: 'héllo' });
    assert.deepEqual([good.code, good.stdout, good.stderr], [0, 'echo héllo', 'HTTP 200, warm start']);
    assert.deepEqual([api.requests[0]?.headers['x-mine'], api.requests[0]?.headers['dormouse-wake']], ['1', 'never']);
    const bad = await run(['invoke', 'alice']);
    assert.deepEqual([bad.code, bad.stdout], [1, 'broken']);
  });

  test('a namespace is named by -n, or the environment; -A asks for all of them, and a list says whose each is', async (context) => {
    const items = [
      { ...alice, namespace: 'red' },
      { ...alice, namespace: 'blue' },
    ];
    const { api, run } = await against(context, {
      'GET /v1/actors?limit=100': { body: { items } },
      'GET /v1/actors/alice': { body: items[0] ?? {} },
    });
    const all = await run(['actor', 'list', '-A']);
    assert.match(all.stdout, /ACTOR +NAMESPACE[^]*alice +red[^]*alice +blue/);
    await run(['actor', 'show', 'alice', '-n', 'red']);
    await run(['actor', 'show', 'alice'], { env: { DORMOUSE_NAMESPACE: 'blue' } });
    await run(['actor', 'show', 'alice']);
    const named = api.requests.map(({ headers }) => headers['dormouse-namespace']);
    assert.deepEqual(named, ['*', 'red', 'blue', undefined]);
  });

  test('events end after as many as were asked for, one JSON a line', async (context) => {
    const change = { type: 'actor', id: '1-0', actor: 'alice', from: 'resuming', to: 'running', cause: 'woke' };
    const { run } = await against(context, {
      'GET /v1/events': {
        stream: (async function* () {
          yield `data: ${JSON.stringify(change)}\n\n`.repeat(3);
          await new Promise(() => undefined);
        })(),
      },
    });
    const { code, stdout } = await run(['events', '-o', 'json', '--count', '2']);
    assert.equal(code, 0);
    assert.deepEqual(stdout.split('\n'), [JSON.stringify(change), JSON.stringify(change)]);
  });

  test('a token is made from its options, shown once, listed and revoked', async (context) => {
    const token = { id: '0123456789abcdef', name: 'ci', scopes: ['invoke', 'read'], createdAt: '' };
    const { api, run } = await against(context, {
      'POST /v1/tokens': { status: 201, body: { ...token, token: 'dm_secret' } },
      'GET /v1/tokens': { body: { items: [token], nextCursor: token.id } },
      'GET /v1/tokens?cursor=0123456789abcdef': { body: { items: [{ ...token, id: 'fedcba9876543210' }] } },
      'DELETE /v1/tokens/0123456789abcdef': { status: 204 },
    });
    const words = 'token create ci -n team --scope invoke -s read --rate 2.5 --expires 2090-01-01T00:00:00Z';
    const made = await run(words.split(' '));
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^id +0123456789abcdef\ntoken +dm_secret\n/);
    assert.match(made.stderr, /not shown again/);
    assert.deepEqual(JSON.parse(api.requests[0]?.body ?? ''), {
      ...{ name: 'ci', namespace: 'team', scopes: ['invoke', 'read'], rateLimit: { perSecond: 2.5 } },
      expiresAt: '2090-01-01T00:00:00.000Z',
    });
    assert.equal(api.requests[0]?.headers['idempotency-key'], undefined);
    assert.equal((await run(['token', 'list', '-q'])).stdout, '0123456789abcdef\nfedcba9876543210');
    assert.equal((await run(['token', 'revoke', '0123456789abcdef'])).code, 0);
    for (const wrong of [
      'token create ci',
      'token create ci -s read --burst 2',
      'token create ci -s read --expires soon',
    ]) {
      assert.equal((await run(wrong.split(' '))).code, 2, wrong);
    }
  });

  test('a webhook is made, shown with why it is disabled, enabled and tested', async (context) => {
    const webhook = { id: 'w', url: 'https://example.com/', events: ['node'], createdAt: '', state: 'disabled' };
    let taken = true;
    const { api, run } = await against(context, {
      'POST /v1/webhooks': { status: 201, body: { ...webhook, state: 'active', secret: 'whsec_x' } },
      'GET /v1/webhooks': { body: { items: [webhook] } },
      'GET /v1/webhooks/w': { body: { ...webhook, reason: 'answered 503' } },
      'POST /v1/webhooks/w/enable': { body: { ...webhook, state: 'active' } },
      'POST /v1/webhooks/w/test': () => ({ body: taken ? { delivered: true } : { delivered: false, reason: 'no' } }),
      'DELETE /v1/webhooks/w': { status: 204 },
    });
    const made = await run(['webhook', 'create', 'https://example.com/', '-e', 'node']);
    assert.match(made.stdout, /^webhook +w\nsecret +whsec_x\n/);
    assert.deepEqual(JSON.parse(api.requests[0]?.body ?? ''), { url: 'https://example.com/', events: ['node'] });
    assert.match((await run(['webhook', 'list'])).stdout, /\nw +disabled +- +https:\/\/example.com\/ +node/);
    assert.match((await run(['webhook', 'show', 'w'])).stdout, /\nreason +answered 503/);
    assert.match((await run(['webhook', 'enable', 'w'])).stdout, /\nstate +active/);
    assert.equal((await run(['webhook', 'test', 'w'])).code, 0);
    taken = false;
    assert.equal((await run(['webhook', 'test', 'w'])).code, 1);
    assert.equal((await run(['webhook', 'delete', 'w'])).code, 0);
  });

  test('status is exit code 1 while the platform is not ready', async (context) => {
    const node = { id: 'node-1', leaseMs: 5000, slots: 4, usedSlots: 1 };
    const { run } = await against(context, {
      'GET /readyz': {
        status: 503,
        body: {
          status: 'not-ready',
          missing: ['store'],
          redis: { ok: true },
          store: { ok: false, detail: 'it is full' },
        },
      },
      'GET /openapi.json': { body: { info: { version: '0.1.0' } } },
      'GET /v1/nodes': { body: { items: [node, { ...node, id: 'node-2', leaseMs: 0 }] } },
    });
    const { code, stdout } = await run(['status']);
    assert.equal(code, 1);
    assert.match(stdout, /ready +no\n[^]*redis +ok\nstore +it is full\nnodes +1 alive of 2\nrunning +1 of 4 slots/);
  });

  test('an older Node hands over, with arguments, input, output and exit code', async (context) => {
    const older = olderNode();
    if (older === undefined) {
      context.skip('no Node before 24 in the PATH');
      return;
    }
    const { run } = await against(context, {
      'POST /v1/actors/alice/invoke/': ({ body }) => ({ status: 500, body: `echo ${body}` }),
    });
    const { code, stdout } = await run(['invoke', 'alice', '-d', '@-'], { node: older, input: 'a b' });
    assert.deepEqual([code, stdout], [1, 'echo a b']);
  });
});

function olderNode(): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'node'));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return Number(/^v(\d+)/.exec(execaSync(candidate, ['--version']).stdout)?.[1]) < 24;
    } catch {
      return false;
    }
  });
}
