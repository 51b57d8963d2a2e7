/** Operation ids that several processes come to by themselves, so that a job sent by two of them is one job. */
import { createHash } from 'node:crypto';

/** The same for the same words, as a UUID of the version for ids with a meaning of one's own (RFC 9562, version 8). */
export function operationIdOf(...words: readonly string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(words)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
