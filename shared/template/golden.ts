/**
 * A prepared template as the store keeps it (`templates/<name>/<revision>/template.json`): its specification, the images
 * it was pinned to, and the golden every actor of it starts from. Written create-only, after the golden's parts.
 */
import { z } from 'zod';
import { DormouseError } from '../errors/dormouse-error.ts';
import { manifestSchema, requireKnownVersion, requirePartsWithin } from '../snapshot/manifest.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import { templateSpecSchema } from './template-spec.ts';

export const pinnedImageSchema = z.object({
  reference: z.string(),
  /** Digest of the image's manifest, `sha256:…`: what other nodes must find behind the reference. */
  digest: z.string(),
  /** Digest of the unpacked tree. */
  treeDigest: z.string(),
});

export const templateDescriptorSchema = z.object({
  formatVersion: z.literal(1),
  spec: templateSpecSchema,
  revision: z.string(),
  /** By container name. */
  images: z.record(z.string(), pinnedImageSchema),
  golden: manifestSchema,
  preparedAt: z.iso.datetime(),
});
export type TemplateDescriptor = z.infer<typeof templateDescriptorSchema>;

/** Believes nothing of what stands in the store: `snapshot-corrupt`, or `snapshot-unsupported` for a newer version. */
export function parseDescriptor(name: string, revision: string, bytes: Buffer): TemplateDescriptor {
  const key = objectKeys.template(name, revision);
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && 'golden' in value) requireKnownVersion(value.golden, key);
    const descriptor = templateDescriptorSchema.parse(value);
    if (descriptor.spec.name !== name || descriptor.revision !== revision) {
      throw new Error(`it describes ${descriptor.spec.name} (${descriptor.revision})`);
    }
    requirePartsWithin(descriptor.golden, `${objectKeys.templateFolder(name, revision)}golden/`);
    return descriptor;
  } catch (cause) {
    if (cause instanceof DormouseError) throw cause;
    throw new DormouseError('snapshot-corrupt', `the template descriptor ${key} cannot be read`, {
      cause,
      details: { object: key },
    });
  }
}
