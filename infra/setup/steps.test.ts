import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { runSteps, type Step } from './steps.ts';

const numbers = { first: 4, total: 7 };

async function oneStep(context: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-steps-'));
  context.after(() => removeTree(folder, tmpdir()));
  await mkdir(path.join(folder, 'source'));
  await writeFile(path.join(folder, 'source/a.ts'), 'a');
  const runs: string[] = [];
  const lines: string[] = [];
  const step: Step = {
    name: 'asset set',
    inputs: [path.join(folder, 'source')],
    result: path.join(folder, 'result'),
    stamp: path.join(folder, 'result/.stamp'),
    mend: 'Check the network.',
    run: async (report) => {
      report('half');
      runs.push(await Promise.resolve('ran'));
    },
  };
  const run = (changed: Partial<Step> = {}) => runSteps([{ ...step, ...changed }], numbers, (line) => lines.push(line));
  return { folder, runs, lines, run };
}

suite('set-up steps', () => {
  test('a done step is silent and does not run again', async (context) => {
    const { runs, lines, run } = await oneStep(context);
    assert.deepEqual(await run(), ['asset set']);
    assert.match(lines.join('\n'), /^\[setup\] 4\/7 asset set: …\n.*half \(\d+\.\d s\)\n.*done in \d+\.\d s$/);
    lines.length = 0;
    assert.deepEqual(await run(), []);
    assert.deepEqual([runs.length, lines.length], [1, 0]);
  });

  test('a changed source, a changed key and a deleted result each run it again; a changed test does not', async (context) => {
    const { folder, runs, run } = await oneStep(context);
    await run();
    await writeFile(path.join(folder, 'source/a.test.ts'), 'only a test');
    await run();
    assert.equal(runs.length, 1);
    await writeFile(path.join(folder, 'source/a.ts'), 'b');
    await run();
    assert.equal(runs.length, 2);
    await run({ key: 'arm64' });
    assert.equal(runs.length, 3);
    await rm(path.join(folder, 'result/.stamp'));
    await run();
    assert.equal(runs.length, 4);
    await run({ result: path.join(folder, 'elsewhere') });
    assert.equal(runs.length, 5);
  });

  test('a failed step says what failed and how to mend it, and is not taken for done', async (context) => {
    const { runs, run } = await oneStep(context);
    const failing = { run: () => Promise.reject(new Error('no route to the mirror')) };
    await assert.rejects(run(failing), (error: unknown) => {
      assert.ok(error instanceof DormouseError);
      assert.equal(error.code, 'precondition-missing');
      assert.equal(error.message, 'asset set: no route to the mirror\nCheck the network.');
      return true;
    });
    await run();
    assert.equal(runs.length, 1);
  });
});
