/** What every refusal looks like (RFC 9457). */
import { z } from 'zod';

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    nextStep: z.string(),
    retryable: z.boolean(),
    retryAfterMs: z.number().optional(),
    requestId: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'Problem', description: 'A refusal: stable `code`, whether a retry can help, and what to do next' });
