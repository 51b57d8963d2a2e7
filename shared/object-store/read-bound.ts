/** How much `get` may bring into memory. */
import { DormouseError } from '../errors/dormouse-error.ts';

/** Manifests and log entries are kilobytes; larger things go to a file. */
export const defaultMaxBytes = 64 * 1024 * 1024;

export function refuseLarger(key: string, sizeBytes: number, maxBytes: number): void {
  if (sizeBytes <= maxBytes) return;
  throw new DormouseError(
    'store-object-too-large',
    `${key} has ${sizeBytes} bytes, more than the ${maxBytes} allowed`,
    {
      details: { key, sizeBytes, maxBytes },
    },
  );
}
