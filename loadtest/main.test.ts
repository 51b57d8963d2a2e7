/** The real program, as a process, against a small real server: what it measures, reports, exits with and leaves behind. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import { problem, startStubApi } from '../sdk/stub-api.ts';
import { platform, reported, start, temporaryFolder } from './program-run.ts';
import { startStubPlatform } from './stub-platform.ts';

suite('the load test', { concurrency: 4 }, () => {
  test('measures every kind in every round, reports it, and leaves nothing behind', async (context) => {
    const { stub, run } = await platform(context);
    const result = await run('--rounds', '3', '--calls', '4', '--rate', '1000');
    assert.equal(result.exitCode, 0, result.stderr);
    const report = reported(result);
    assert.deepEqual(
      report.summaries.map(({ name, calls, counted, expects }) => [name, calls, counted, expects]),
      [
        ['cold', 3, 3, 'cold'],
        ['warm', 3, 3, 'warm'],
        ['warm, other node', 3, 3, 'warm'],
        ['hot', 12, 12, 'hot'],
      ],
    );
    assert.deepEqual([report.schemaVersion, report.versions.api, report.samples.length], [2, '9.9.9', 21]);
    assert.equal(report.discarded, 7, 'a round of warm-up');
    assert.ok(report.sleeps.every(({ shippedBytes }) => shippedBytes === 1_048_576));
    assert.deepEqual(report.versions.runtimes, ['tcg qemu 1 2']);
    assert.deepEqual(report.samples[0]?.phases, { queue: 0.01, load: 0.02, total: 0.04 });
    assert.equal(report.ratios.length, 3);
    assert.match(result.stdout, /\ncold +3 +100\.0% +0 [^]*\nhot +12 +100\.0%[^]*\ncold \/ warm +\d/);
    assert.equal(stub.actors.size, 0);
  });

  test('another series goes first in each round', async (context) => {
    const { run } = await platform(context);
    const { samples } = reported(await run('--rounds', '2', '--calls', '1', '--warm-up', '0'));
    const order = samples.map(({ series }) => series);
    assert.deepEqual(order.slice(0, 4), ['cold', 'warm', 'warm, other node', 'hot']);
    assert.deepEqual(order.slice(4), ['warm', 'warm, other node', 'hot', 'cold']);
  });

  test('the move to the other node alternates, and is left out where there is none', async (context) => {
    const { stub, run } = await platform(context);
    await run('--scenario', 'warm', '--rounds', '2', '--warm-up', '0');
    const moves = stub.requests.filter(({ line }) => line.endsWith('/resume')).map(({ body }) => body);
    assert.deepEqual(moves, ['{"node":"node-2"}', '{"node":"node-1"}']);
    const single = await platform(context, { nodes: 1 });
    const result = await single.run('--scenario', 'warm', '--rounds', '1');
    assert.deepEqual([result.exitCode, reported(result).summaries.length], [0, 1]);
    assert.match(result.stdout, /another node was not measured: there is only one node/);
  });

  test('failed calls count, do not end the run, and are exit code 1', async (context) => {
    let suspends = 0;
    const { stub, run } = await platform(context, {
      intercept: ({ line }) =>
        line.endsWith('/suspend') && ++suspends === 2 ? problem(500, 'vmm-failed', { detail: 'it broke' }) : undefined,
    });
    const result = await run('--scenario', 'warm', '--rounds', '3', '--warm-up', '0');
    assert.equal(result.exitCode, 1);
    const broken = reported(result).summaries.map(({ calls, succeeded }) => calls - succeeded);
    assert.deepEqual(broken, [0, 1]);
    assert.match(result.stdout, /1 × warm, other node failed: it broke \(vmm-failed\)/);
    assert.equal(stub.actors.size, 0);
  });

  test('an answer that names another start is not counted as the expected one', async (context) => {
    const lie = { headers: { 'dormouse-start': 'hot' }, body: '' };
    const { run } = await platform(context, { intercept: ({ line }) => (line.includes('/invoke/') ? lie : undefined) });
    const result = await run('--scenario', 'cold', '--rounds', '2', '--warm-up', '0');
    const [cold] = reported(result).summaries;
    assert.deepEqual([result.exitCode, cold?.otherStart, cold?.counted, cold?.latencyMs.p50], [1, 2, 0, undefined]);
  });

  test('an actor whose creation was not answered is deleted all the same', async (context) => {
    const { stub, run } = await platform(context, {
      intercept: ({ line }, handle) => {
        if (line !== 'POST /v1/actors') return undefined;
        handle();
        throw new Error('the connection breaks');
      },
    });
    const result = await run('--scenario', 'hot', '--rounds', '1');
    assert.equal(result.exitCode, 1);
    assert.equal(result.report, null);
    assert.ok(stub.lines().some((line) => line.startsWith('DELETE /v1/actors/loadtest-')));
    assert.equal(stub.actors.size, 0);
  });

  test('Ctrl-C: the calls so far are reported, the actors are deleted', async (context) => {
    const { promise: reached, resolve: reach } = Promise.withResolvers<undefined>();
    let pressedAgain = false;
    const stub = await startStubPlatform({
      intercept: ({ line }) => {
        if (line.startsWith('DELETE') && !pressedAgain) {
          pressedAgain = running.kill('SIGINT'); // as npm passes it on, a little later
          return problem(409, 'state-conflict');
        }
        if (!line.endsWith('/resume')) return undefined;
        reach(undefined);
        return new Promise(() => undefined);
      },
    });
    context.after(() => stub[Symbol.asyncDispose]());
    const running = start(stub.url, ['--scenario', 'warm', '--rounds', '5', '--warm-up', '0']);
    await reached;
    assert.equal(stub.actors.size, 2);
    running.kill('SIGINT');
    const { exitCode, stdout, stderr } = await running;
    assert.equal(exitCode, 130, stderr);
    assert.match(stdout, /INTERRUPTED[^]*\nwarm +1 +100\.0%/);
    assert.match(stderr, /interrupted: deleting/);
    assert.equal(stub.actors.size, 0);
  });

  test('what could not be deleted is named', async (context) => {
    const { run } = await platform(context, {
      intercept: ({ line }) => (line.startsWith('DELETE') ? problem(503, 'store-unavailable') : undefined),
    });
    const { exitCode, stderr } = await run('--scenario', 'hot', '--rounds', '1');
    assert.equal(exitCode, 1);
    assert.match(stderr, /could not delete loadtest-[0-9a-f]{8}-1/);
  });

  test('the start comparison: each template under its own name, a ratio, nothing left', async (context) => {
    const folder = await temporaryFolder(context);
    const files = ['small', 'large'].map((name) => path.join(folder, `${name}.json`));
    for (const file of files) await writeFile(file, JSON.stringify({ name: path.basename(file, '.json') }));
    const { stub, run } = await platform(context);
    const result = await run(
      '--scenario',
      'start',
      '--rounds',
      '2',
      ...files.flatMap((file) => ['--template-file', file]),
    );
    assert.equal(result.exitCode, 0, result.stderr);
    const report = reported(result);
    assert.deepEqual(
      report.preparations.map(({ template, file }) => [template, file]),
      [
        ['small', 'small.json'],
        ['large', 'large.json'],
      ],
    );
    assert.deepEqual(
      report.ratios.map(({ of, to }) => [of, to]),
      [['cold large', 'cold small']],
    );
    assert.equal(typeof report.ratios[0]?.value, 'number');
    const brought = stub.requests.filter(({ line }) => line.endsWith('/resume')).map(({ body }) => body);
    const both = ['{"node":"node-1"}', '{"node":"node-2"}'];
    assert.deepEqual(brought, [...both, ...both]);
    assert.deepEqual([...stub.templates], ['counter']);
    assert.equal(stub.actors.size, 0);
  });

  test('says what is wrong with the command line (2), and where nothing listens (1)', async () => {
    const api = await startStubApi(() => ({}));
    await api[Symbol.asyncDispose]();
    const [silent, wrong, lonely] = await Promise.all([
      start(api.url, []),
      start(api.url, ['--rounds', '0', '--scenario', 'tepid']),
      start(api.url, ['--scenario', 'start', '--template-file', 'x']),
    ]);
    assert.deepEqual([silent.exitCode, wrong.exitCode, lonely.exitCode], [1, 2, 2]);
    assert.ok(
      silent.stderr.includes(`no answer from ${api.url}`) && silent.stderr.includes('npm start'),
      silent.stderr,
    );
    assert.match(wrong.stderr, /--scenario: .*; --rounds: /);
    assert.match(lonely.stderr, /--template-file: needed at least twice/);
  });
});
