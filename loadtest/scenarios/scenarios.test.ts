/** Each scenario, by the real program against a stub: what it orders, what it records, what it concludes. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import { problem } from '../../sdk/stub-api.ts';
import { platform, reported, temporaryFolder } from '../program-run.ts';

suite('the scenarios', { concurrency: 4 }, () => {
  test('staggered: one call each so many milliseconds, each wakes its actor', async (context) => {
    const { stub, run } = await platform(context);
    const result = await run(
      ...['--scenario', 'staggered', '--actors', '3', '--gap', '40', '--rounds', '1', '--warm-up', '0'],
    );
    assert.equal(result.exitCode, 0, result.stderr);
    const { summaries, samples } = reported(result);
    assert.deepEqual([summaries[0]?.name, summaries[0]?.counted], ['staggered, one each 40 ms', 3]);
    const times = samples.map(({ at }) => Date.parse(at)).sort((a, b) => a - b);
    // What was meant, to the millisecond in which instants are written, however late it was sent.
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    assert.ok(
      gaps.every((gap) => Math.abs(gap - 40) <= 1),
      String(gaps),
    );
    assert.equal(stub.actors.size, 0);
  });

  test('mixed: popular and rare actors, hot and warm calls, those of the warm-up left out', async (context) => {
    const { stub, run } = await platform(context);
    const load = ['--actors', '6', '--rate', '60', '--duration', '2', '--idle', '100', '--warm-up', '1'];
    const result = await run('--scenario', 'mixed', ...load);
    assert.equal(result.exitCode, 0, result.stderr);
    const { summaries, discarded } = reported(result);
    assert.deepEqual(
      summaries.map(({ name }) => name),
      ['mixed', 'mixed, warm', 'mixed, hot'],
    );
    const [all, warm, hot] = summaries.map(({ calls }) => calls);
    assert.equal(all, (warm ?? 0) + (hot ?? 0));
    assert.ok(discarded > 0);
    assert.ok(stub.lines().filter((line) => line.endsWith('/suspend')).length > 6, 'the idle were put to sleep');
  });

  test('ladder: climbs until calls fail, and names the last rate that was served', async (context) => {
    let calls = 0;
    const { run } = await platform(context, {
      // The first step is some 20 calls.
      intercept: ({ line }) =>
        line.includes('/invoke/') && ++calls > 60 ? problem(503, 'no-capacity', { detail: 'full' }) : undefined,
    });
    const load = ['--ladder', '20,4,5', '--step', '1', '--warm-up', '0', '--actors', '2', '--p50-bound', '10000'];
    const result = await run('--scenario', 'ladder', ...load);
    assert.equal(result.exitCode, 0, result.stderr);
    const { ladder } = reported(result);
    assert.deepEqual([ladder?.knee.ratePerS, ladder?.knee.reached, ladder?.steps.length], [20, true, 2]);
    assert.match(result.stdout, /Knee: 20\/s \(at 80\/s \d+ of \d+ calls failed/);
  });

  test('ladder of wakes: each call takes an actor that sleeps', async (context) => {
    const { run } = await platform(context);
    const load = ['--kind', 'warm', '--ladder', '10,2,2', '--step', '1', '--warm-up', '0', '--actors', '2'];
    const result = await run('--scenario', 'ladder', ...load);
    assert.equal(result.exitCode, 0, result.stderr);
    const { ladder, summaries } = reported(result);
    assert.equal(ladder?.knee.reached, false);
    assert.ok(summaries.every(({ expects, calls, counted }) => expects === 'warm' && calls === counted));
  });

  test('parallel-resume: so many at once, all on one node', async (context) => {
    const { stub, run } = await platform(context);
    const result = await run('--scenario', 'parallel-resume', '--parallel', '1,3', '--rounds', '2', '--warm-up', '0');
    assert.equal(result.exitCode, 0, result.stderr);
    assert.deepEqual(
      reported(result).summaries.map(({ name, counted }) => [name, counted]),
      [
        ['1 at once', 2],
        ['3 at once', 6],
      ],
    );
    const nodes = stub.requests.filter(({ line }) => line.endsWith('/resume')).map(({ body }) => body);
    assert.deepEqual([nodes.length, new Set(nodes)], [8, new Set(['{"node":"node-1"}'])]);
  });

  test('cross-node: the same node against another one, with their ratio', async (context) => {
    const { stub, run } = await platform(context);
    const result = await run('--scenario', 'cross-node', '--rounds', '1', '--warm-up', '0');
    assert.equal(result.exitCode, 0, result.stderr);
    const orders = stub.requests.filter(({ line }) => line.endsWith('/resume')).map(({ body }) => body);
    assert.deepEqual(orders, ['{"node":"node-1"}', '{"node":"node-2"}']);
    assert.deepEqual(
      reported(result).ratios.map(({ of, to }) => [of, to]),
      [['warm, other node', 'warm, same node']],
    );
  });

  test('memory: dirties before each sleep, and fails where the actor cannot', async (context) => {
    const { stub, run } = await platform(context);
    const words = ['--scenario', 'memory', '--dirty', '1,16', '--rounds', '1', '--warm-up', '0'];
    const result = await run(...words);
    assert.equal(result.exitCode, 0, result.stderr);
    const dirtied = stub.lines().filter((line) => line.includes('allocate'));
    assert.deepEqual(
      dirtied.map((line) => line.split('?')[1]),
      ['mib=1', 'mib=16'],
    );
    assert.match(result.stdout, /16 MiB dirtied +1 +[\d.]+ +1\.0 MiB/);
    const unable = await platform(context, {
      intercept: ({ line }) => (line.includes('allocate') ? { status: 404 } : undefined),
    });
    const failed = await unable.run(...words);
    assert.equal(failed.exitCode, 1);
    assert.match(failed.stdout, /answered 404: no memory was dirtied/);
  });

  test('churn: a node that keeps a slot is growth, and exit code 1', async (context) => {
    const churn = ['--scenario', 'churn', '--actors', '2', '--duration', '1'];
    const fine = await platform(context);
    const result = await fine.run(...churn);
    assert.equal(result.exitCode, 0, result.stdout + result.stderr);
    assert.ok((reported(result).leaks?.cycles ?? 0) > 0);
    let suspends = 0;
    const leaking = await platform(context, {
      intercept: ({ line }, handle) => {
        if (line.endsWith('/suspend')) suspends++;
        const node = { state: 'ready', leaseMs: 1, memoryMiB: 1, usedMemoryMiB: 1, runtime: {}, id: 'node-1' };
        return line === 'GET /v1/nodes' ? { body: { items: [{ ...node, usedSlots: suspends }] } } : handle();
      },
    });
    const leaked = await leaking.run(...churn);
    assert.equal(leaked.exitCode, 1);
    assert.match(leaked.stdout, /used slots +\d+ +\d+ +0 +GREW/);
  });

  test('a run leaves a page and a picture where it was told to', async (context) => {
    const { run } = await platform(context);
    const folder = await temporaryFolder(context);
    const [html, png] = [path.join(folder, 'page.html'), path.join(folder, 'page.png')];
    const result = await run(...['--scenario', 'hot', '--rounds', '1', '--calls', '5', '--html', html, '--png', png]);
    assert.equal(result.exitCode, 0, result.stderr);
    assert.match(await readFile(html, 'utf8'), /^<!doctype html>/);
    assert.equal((await readFile(png)).subarray(1, 4).toString(), 'PNG');
  });
});
