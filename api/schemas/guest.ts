/** Programs, files and logs inside an actor, as the API takes and shows them. */
import { z } from 'zod';

export const containerSchema = z
  .string()
  .max(63)
  .default('')
  .meta({ description: 'A container of its template; the first one unless named' });

/** What a kernel takes for a path, and no more. */
export const guestPathSchema = z
  .string()
  .max(4095)
  .regex(/^\/[^\0]*$/, 'an absolute path without NUL');

const word = z
  .string()
  .max(128 * 1024)
  .regex(/^[^\0]*$/, 'no NUL');
const environmentVariable = word.regex(/^[^=]+=/, 'NAME=value');

/** The kernel bounds all words of a program together; this keeps the message small. */
const maxWords = 1000;
export const maxInputBytes = 512 * 1024;

export const execBody = z.strictObject({
  command: word.min(1).meta({ description: 'The program; looked for in the PATH of the container' }),
  args: z.array(word).max(maxWords).default([]),
  container: containerSchema,
  env: z.array(environmentVariable).max(maxWords).default([]),
  cwd: guestPathSchema.optional(),
  stdin: z.string().max(maxInputBytes).default(''),
  timeoutMs: z.int().min(1).max(300_000).default(30_000),
});

export const execResult = z
  .object({
    exitCode: z.int().meta({ description: '128 + n when signal n ended it' }),
    stdout: z.string(),
    stderr: z.string(),
    truncated: z.boolean().meta({ description: 'Either output was longer than 1 MiB' }),
  })
  .meta({ id: 'ExecResult', description: 'How a program ended, and what it wrote' });

const many = z.preprocess(
  (value) => (value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value]),
  z.array(word),
);

/** Of the WebSocket, in its query. */
export const execQuery = z.strictObject({
  command: many.pipe(z.array(word).min(1).max(maxWords)),
  container: containerSchema,
  env: many.pipe(z.array(environmentVariable).max(maxWords)),
  cwd: guestPathSchema.optional(),
  tty: z.stringbool().default(false),
  cols: z.coerce.number().int().min(1).max(9999).optional(),
  rows: z.coerce.number().int().min(1).max(9999).optional(),
});

export const fileQuery = z.strictObject({
  path: guestPathSchema,
  container: containerSchema,
});

export const putFileQuery = fileQuery.extend({
  mode: z
    .string()
    .regex(/^0?[0-7]{3,4}$/, 'permission bits in octal, as 0644')
    .optional(),
});

export const logsQuery = z.strictObject({
  follow: z.stringbool().default(false),
  tail: z.coerce.number().int().min(0).max(1_000_000).optional().meta({ description: 'Only the last lines there are' }),
  since: z.iso.datetime().optional().meta({ description: 'Only lines written after this instant' }),
  container: z.string().max(63).optional(),
  timestamps: z.stringbool().default(false).meta({ description: 'Before each line of text' }),
});
