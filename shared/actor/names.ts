/** Identifiers that users choose. They become store keys, host names and folder names, so they are DNS labels. */
import { z } from 'zod';

/** RFC 1123 label: what a host name, a folder and a store key can all carry. */
const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const labelRule = 'a DNS label: 1 to 63 of a-z, 0-9 and "-", neither first nor last "-"';

export const actorIdSchema = z.string().regex(label, labelRule);
export const templateNameSchema = z.string().regex(label, labelRule);
export const containerNameSchema = z.string().regex(label, labelRule);

/** Labels as Kubernetes users know them, kept short because each one is stored with its actor. */
export const labelsSchema = z
  .record(z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/), z.string().max(63))
  .refine((labels) => Object.keys(labels).length <= 16, 'at most 16 labels');
