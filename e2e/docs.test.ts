/**
 * Every command in the README and in docs/ is typed in, page by page and in order, against one platform. What stands in a
 * page for the reader's platform (`localhost:7070`) becomes this one's address.
 */
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { removeTree } from '../shared/process/remove-tree.ts';
import { blocksOf, pagesOf, type ShellBlock } from './docs/shell-blocks.ts';
import { startPlatform, type Platform } from './platform.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const pages = await Promise.all((await pagesOf(repository)).map((page) => blocksOf(repository, page)));
/** The longest ones start VMs more than once. */
const blockLimitMs = 120_000;
/** Quiet, and an answer that is an error counts as a failure: what a reader would notice. */
const prelude = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }';

describe('the commands in our pages', () => {
  let platform: Platform;
  let scratch: string;
  before(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'dm-docs-'));
    platform = await startPlatform();
    await platform.template('counter');
  });
  after(async () => {
    await platform[Symbol.asyncDispose]();
    await removeTree(scratch, tmpdir());
  });

  const type = async ({ commands }: ShellBlock) => {
    const here = new URL(platform.url).host;
    const text = commands.replaceAll('localhost:7070', here);
    return execa('bash', ['-euo', 'pipefail', '-c', `${prelude}\n${text}`], {
      cwd: repository,
      env: {
        PATH: `${path.join(repository, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
        DORMOUSE_URL: platform.url,
        DORMOUSE_HOME: platform.home,
        TMPDIR: scratch,
      },
      stdin: 'ignore',
      all: true,
      reject: false,
      timeout: blockLimitMs,
    });
  };

  for (const block of pages.flat()) {
    if (block.notRun !== undefined) continue;
    test(`${block.page}:${block.line}`, async () => {
      const result = await type(block);
      assert.equal(result.failed, false, `${block.commands}\n${result.all}`);
    });
  }

  test('blocks were found to be run', () => {
    const run = pages.flat().filter(({ notRun }) => notRun === undefined);
    assert.ok(run.length >= 7, `only ${run.length} blocks are run`);
  });
});
