/**
 * The digest of everything in the repository that decides what is in an asset set: the pins, the guest's sources, and the
 * code that puts it together. A set that carries it was made from the same and need not be made again.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Architecture } from '../../shared/assets/asset-set.ts';
import { digestOfFiles, filesBelow } from '../guest-build/source-digest.ts';

const room = path.join(import.meta.dirname, '..');
const folders = ['assembly', 'elf', 'guest-agent', 'guest-build', 'guest-init', 'initramfs', 'kernel'];

export async function inputsDigest(architecture: Architecture): Promise<string> {
  const decides = (file: string): boolean => {
    if (/(\.test\.ts|_test\.go)$/.test(file)) return false;
    return folders.includes(file.split('/')[0] ?? '') || file === `manifests/${architecture}.json`;
  };
  const digest = await digestOfFiles(room, await filesBelow(room, decides));
  return createHash('sha256').update(`${architecture} ${digest}`).digest('hex');
}
