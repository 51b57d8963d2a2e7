/** Templates as the API shows them; what it takes is shared/template/template-spec.ts. */
import { z } from 'zod';
import { templateNameSchema } from '../../shared/actor/names.ts';
import { nameOf, namespaceOf } from '../../shared/actor/namespace.ts';
import { serializedErrorSchema } from '../../shared/errors/dormouse-error.ts';
import type { TemplateRecord } from '../../shared/registry/records.ts';
import { runtimeKeySchema } from '../../shared/snapshot/manifest.ts';
import { pinnedImageSchema } from '../../shared/template/golden.ts';
import { publicError } from './public-error.ts';

export const templateView = z
  .object({
    name: z.string(),
    namespace: z.string(),
    revision: z.string(),
    state: z.enum(['preparing', 'ready', 'failed', 'deleting']),
    since: z.string(),
    createdAt: z.string(),
    spec: z.record(z.string(), z.unknown()).meta({ description: 'The specification, defaults filled in' }),
    error: serializedErrorSchema.optional(),
    preparedAt: z.string().optional(),
    images: z.record(z.string(), pinnedImageSchema).optional(),
    golden: z.object({ runtime: runtimeKeySchema, memoryBytes: z.number(), shippedBytes: z.number() }).optional(),
  })
  .meta({ id: 'Template', description: 'An immutable recipe for actors' });
export type TemplateView = z.infer<typeof templateView>;

export function viewOfTemplate(record: TemplateRecord): TemplateView {
  const { descriptor, spec, error, ...rest } = record;
  const [name, namespace] = [nameOf(record.name), namespaceOf(record.name)];
  const shown = {
    ...{ ...rest, name, namespace, spec: { ...spec, name } },
    ...(error !== undefined && { error: publicError(error, namespace) }),
  };
  if (descriptor === undefined) return shown;
  const { golden, images, preparedAt } = descriptor;
  const shippedBytes = golden.parts.memory.sizeBytes + golden.parts.device.sizeBytes;
  return {
    ...shown,
    preparedAt,
    images,
    golden: { runtime: golden.runtime, memoryBytes: golden.memorySizeBytes, shippedBytes },
  };
}

export const templateParams = z.object({ name: templateNameSchema });
