import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { runImageTool } from './image-tool.ts';

const codeOf = async (command: readonly [string, ...string[]]): Promise<string> => {
  const run = runImageTool({
    command,
    failure: 'image-unavailable',
    subject: 'x',
    signal: AbortSignal.timeout(10_000),
  });
  const error: unknown = await run.then(() => 'it worked').catch((cause: unknown) => cause);
  return error instanceof DormouseError ? error.code : String(error);
};

test('a tool that found no room on the disk says nothing about the image', async () => {
  assert.equal(await codeOf(['dd', 'if=/dev/zero', 'of=/dev/full', 'count=1']), 'disk-full');
  assert.equal(await codeOf(['dd', 'if=/nowhere', 'of=/dev/null']), 'image-unavailable');
  assert.equal(await codeOf(['true']), 'it worked');
});
