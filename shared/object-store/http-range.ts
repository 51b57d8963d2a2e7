/**
 * A piece of an object over HTTP: what is asked for, and an answer that is believed only if it says that it is just that.
 * Servers may ignore the header and send everything, or send less than they announced.
 */
import { DormouseError } from '../errors/dormouse-error.ts';
import type { ByteRange, ObjectRange } from './object-store.ts';

export const rangeHeader = ({ start, length }: ByteRange): string => `bytes=${start}-${start + length - 1}`;

/** The object ends before the range begins. */
export const rangeNotSatisfiable = 416;

export interface RangeAnswer {
  readonly contentRange: string | undefined;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export async function receiveRange(what: string, range: ByteRange, answer: RangeAnswer): Promise<ObjectRange> {
  const { length, objectBytes } = announced(what, range, answer.contentRange);
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  for await (const chunk of answer.bytes) {
    if (filled + chunk.length > length) throw wrong(what, `more than the ${length} bytes that it announced`);
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled === length) return { bytes, objectBytes };
  throw new DormouseError('store-unavailable', `${what}: the transfer ended after ${filled} of ${length} bytes`);
}

function announced(
  what: string,
  { start, length }: ByteRange,
  contentRange = '',
): { length: number; objectBytes: number } {
  const match = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15})$/.exec(contentRange);
  const [first, last, objectBytes] = [match?.[1], match?.[2], match?.[3]].map(Number) as [number, number, number];
  if (match !== null && first === start && last === Math.min(start + length, objectBytes) - 1 && last >= first)
    return { length: last - first + 1, objectBytes };
  throw wrong(what, `${contentRange === '' ? 'the whole object' : contentRange} for ${start}+${length}`);
}

const wrong = (what: string, words: string): DormouseError =>
  new DormouseError('store-misconfigured', `${what}: the server answered a range with ${words}`);
