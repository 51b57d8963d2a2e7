/**
 * The pins of an asset set: for each Debian package that contributes, its exact version and the sha256 of its .deb, and the
 * sha256 of each file taken from it. `manifests/<arch>.json` is written by `update` and read by `assemble`.
 *
 * The schema refuses pins from which no VM could be started.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { architectures, type Architecture } from '../../shared/assets/asset-set.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { suite } from '../debian/private-apt.ts';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

export const pinSchema = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  sha256: sha256Schema,
  files: z.record(z.string().regex(/^[^/]/), sha256Schema),
});
export type Pin = z.infer<typeof pinSchema>;

/** What must be among the pinned files, by the role it plays. */
const required = {
  VMM: /^usr\/bin\/qemu-system-/,
  virtiofsd: /^usr\/libexec\/virtiofsd$/,
  kernel: /^boot\/vmlinuz-/,
  'initramfs (busybox)': /^usr\/bin\/busybox$/,
  'initramfs (crun)': /^usr\/bin\/crun$/,
  'initramfs (overlay module)': /^usr\/lib\/modules\/.*\/overlay\.ko/,
} as const;

export const manifestSchema = z
  .strictObject({
    formatVersion: z.literal(1),
    architecture: z.enum(architectures),
    suite: z.literal(suite),
    packages: z.array(pinSchema),
  })
  .superRefine(({ packages }, context) => {
    const files = packages.flatMap((pin) => Object.keys(pin.files));
    for (const [role, pattern] of Object.entries(required)) {
      if (files.some((file) => pattern.test(file))) continue;
      context.addIssue({ code: 'custom', path: ['packages'], message: `no package gives the ${role}` });
    }
  });
export type Manifest = z.infer<typeof manifestSchema>;

export const manifestPath = (architecture: Architecture): string =>
  path.join(import.meta.dirname, '../manifests', `${architecture}.json`);

export function parseManifest(json: string, where: string): Manifest {
  const parsed = manifestSchema.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  throw new DormouseError('asset-invalid', `${where} does not pin a whole asset set: ${z.prettifyError(parsed.error)}`);
}

export async function readManifest(architecture: Architecture): Promise<Manifest> {
  const file = manifestPath(architecture);
  return parseManifest(await readFile(file, 'utf8'), file);
}

export async function writeManifest(manifest: Manifest): Promise<void> {
  const text = JSON.stringify(manifestSchema.parse(manifest), null, 1);
  await writeFile(manifestPath(manifest.architecture), `${text}\n`);
}
