import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellBlocks } from './shell-blocks.ts';

test('finds shell blocks with their lines, and nothing else', () => {
  const page = ['# T', '```sh', 'one \\', '  two', '```', '```json', '{}', '```', '```', 'curl never', '```'].join(
    '\n',
  );
  assert.deepEqual(shellBlocks('p.md', page), [
    { page: 'p.md', line: 2, commands: 'one \\\n  two', notRun: undefined },
  ]);
});

test('a block that is not run says why', () => {
  assert.equal(shellBlocks('p.md', '```sh not-run="needs a cluster"\nx\n```')[0]?.notRun, 'needs a cluster');
  assert.throws(() => shellBlocks('p.md', '```sh skip\nx\n```'), /p\.md:1: "skip" is no reason/);
  assert.throws(() => shellBlocks('p.md', 'a\n```sh\nx'), /p\.md:2: this fence is never closed/);
});
