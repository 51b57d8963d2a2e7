/**
 * A prepared template as the store keeps it (`templates/<name>/<revision>/template.json`): its specification, the images
 * it was pinned to, and the golden every actor of it starts from. Written create-only, after the golden's parts.
 */
import { z } from 'zod';
import { manifestSchema } from '../snapshot/manifest.ts';
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
