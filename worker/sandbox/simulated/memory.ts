/**
 * What a simulated sandbox is captured as: two small files of JSON in the place of memory and device state. A file that is
 * anything else is `snapshot-corrupt`, as a real class would say.
 *
 * They are read and written at once: by way of Node's threads, writing them takes six times as much of the processor, and
 * that is no part of what simulators are there to measure.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { Capture, CapturedPart } from '../sandbox.ts';

const memorySchema = z.object({ simulated: z.literal('counter'), count: z.number().int(), ports: z.array(z.number()) });
/** How often the actor was called, and the ports its containers listen on. */
export type CounterMemory = Omit<z.infer<typeof memorySchema>, 'simulated'>;

export function readMemory(file: string): CounterMemory {
  try {
    const { count, ports } = memorySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { count, ports };
  } catch (cause) {
    throw new DormouseError('snapshot-corrupt', 'the memory part is not that of a simulated sandbox', { cause });
  }
}

export function writeCapture(folder: string, memory: CounterMemory, memorySizeBytes: number): Capture {
  const memoryPart = writePart(path.join(folder, 'memory'), { simulated: 'counter', ...memory });
  const device = writePart(path.join(folder, 'device'), { simulated: 'device' });
  return { memorySizeBytes, pageCount: 1, comparedPages: 1, isOnTop: false, memory: memoryPart, device };
}

function writePart(file: string, value: object): CapturedPart {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  writeFileSync(file, bytes);
  return { path: file, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
