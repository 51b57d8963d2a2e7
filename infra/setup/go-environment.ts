/**
 * What makes `go` work for the programs that we start: nothing where a recent one is on the PATH, else the compiler that
 * the set-up fetched from Debian, put first in the PATH.
 */
import path from 'node:path';
import { findGo } from '../../assets/guest-build/go-toolchain.ts';
import { toolchainPlace } from './asset-place.ts';

export async function goEnvironment(
  progress: (message: string) => void = (message) => console.error(message),
): Promise<Record<string, string>> {
  const { command } = await findGo(toolchainPlace(progress));
  return path.isAbsolute(command) ? { PATH: `${path.dirname(command)}:${process.env['PATH'] ?? ''}` } : {};
}
