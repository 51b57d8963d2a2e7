/**
 * The digest of everything in the repository that an asset set is made from: pins, guest sources, and this assembler. A set
 * that carries it was made from the same and need not be made again.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Architecture } from '../../shared/assets/asset-set.ts';
import { digestOfFiles, filesBelow } from '../guest-build/source-digest.ts';

const room = path.join(import.meta.dirname, '..');

export async function inputsDigest(architecture: Architecture): Promise<string> {
  const isSource = (file: string): boolean =>
    !/(\.test\.ts|_test\.go)$/.test(file) &&
    (!file.startsWith('manifests/') || file === `manifests/${architecture}.json`);
  const digest = await digestOfFiles(room, await filesBelow(room, isSource));
  return createHash('sha256').update(`${architecture} ${digest}`).digest('hex');
}
