/**
 * What a simulated sandbox is captured as: two small files of JSON in the place of memory and device state. A file that is
 * anything else is `snapshot-corrupt`, as a real class would say.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { Capture, CapturedPart } from '../sandbox.ts';

const memorySchema = z.object({ simulated: z.literal('counter'), count: z.number().int(), ports: z.array(z.number()) });
/** How often the actor was called, and the ports its containers listen on. */
export type CounterMemory = Omit<z.infer<typeof memorySchema>, 'simulated'>;

/** At once: through the threads of Node it would take a tenth of all that a worker does for a wake, for a hundred bytes. */
export function readMemory(file: string): CounterMemory {
  try {
    const { count, ports } = memorySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { count, ports };
  } catch (cause) {
    throw new DormouseError('snapshot-corrupt', 'the memory part is not that of a simulated sandbox', { cause });
  }
}

export async function writeCapture(folder: string, memory: CounterMemory, memorySizeBytes: number): Promise<Capture> {
  const [memoryPart, device] = await Promise.all([
    writePart(path.join(folder, 'memory'), { simulated: 'counter', ...memory }),
    writePart(path.join(folder, 'device'), { simulated: 'device' }),
  ]);
  return { memorySizeBytes, pageCount: 1, comparedPages: 1, isOnTop: false, memory: memoryPart, device };
}

async function writePart(file: string, value: object): Promise<CapturedPart> {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  await writeFile(file, bytes);
  return { path: file, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
