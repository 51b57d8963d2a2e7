import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../check/tracked-files.ts';
import { testEnvironment } from './environment.ts';

test("tests see the machine's environment, none of the user's settings, and the clone's assets", () => {
  const own = { PATH: '/bin', DORMOUSE_HOME: '/home/me/actors', DORMOUSE_TOKEN: 'secret', TMPDIR: '/var/tmp' };
  assert.deepEqual(testEnvironment(own, '/tmp/dm-1/run'), {
    PATH: '/bin',
    DORMOUSE_ASSETS: path.join(repositoryRoot, '.dormouse/assets'),
    NODE_DISABLE_COMPILE_CACHE: '1',
    TMPDIR: '/tmp/dm-1/run',
  });
  assert.equal(testEnvironment({ DORMOUSE_ASSETS: '/srv/sets' }, '/tmp/x')['DORMOUSE_ASSETS'], '/srv/sets');
});
