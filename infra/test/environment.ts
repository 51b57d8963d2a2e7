/**
 * The environment that tests run in: the machine's own, without our settings (a test states what it needs), with the
 * asset sets that the set-up made and with a TMPDIR of its own, by which whatever a test leaves behind is recognised.
 */
import path from 'node:path';
import { repositoryRoot } from '../check/tracked-files.ts';
import { assetsFolder, type Environment } from '../stack/config.ts';

export function testEnvironment(own: Environment, temporaryFolder: string): Record<string, string> {
  const kept = Object.entries(own).filter(([name, value]) => value !== undefined && !name.startsWith('DORMOUSE_'));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    DORMOUSE_ASSETS: testAssetsFolder(own),
    // npm and Node's tools keep compiled code in TMPDIR, where it would be taken for something a test forgot.
    NODE_DISABLE_COMPILE_CACHE: '1',
    TMPDIR: temporaryFolder,
  };
}

/** Always the clone's own, whatever DORMOUSE_HOME says, so that tests do not depend on a place that a user works in. */
export function testAssetsFolder(own: Environment): string {
  return assetsFolder({
    DORMOUSE_ASSETS: own['DORMOUSE_ASSETS'],
    DORMOUSE_HOME: path.join(repositoryRoot, '.dormouse'),
  });
}
