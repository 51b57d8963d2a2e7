/**
 * The configured keys that wrap data keys: `id:base64`, comma-separated, 32 bytes each. The first encrypts, all decrypt;
 * an empty ring means that nothing is encrypted.
 *
 * A key never leaves a KeyObject, which neither prints nor serialises its bytes, and no message quotes what was given:
 * a key pasted into the wrong place must not end up in a log.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/** Becomes a segment of a store key, and is shown in errors and manifests: an id is no secret. */
export const keyIdSchema = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, 'a key id is a DNS label');

export interface EncryptionKey {
  readonly id: string;
  /** Wraps data keys, and nothing else. */
  readonly wrapping: KeyObject;
  /** Tells two keys of one id apart without telling anything about either. */
  readonly check: string;
}
export type KeyRing = readonly EncryptionKey[];

/** AES-256. */
export const keyBytes = 32;
/** 64 bits: two of a handful of keys never meet by chance. */
const checkBytes = 8;

export function newEncryptionKey(id: string, secret: Uint8Array): EncryptionKey {
  // One secret, two independent keys: what is shown of one says nothing about the other.
  const derive = (purpose: string): KeyObject =>
    createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `dormouse ${purpose} 1`, keyBytes)));
  const check = createHmac('sha256', derive('key check'))
    .digest('hex')
    .slice(0, 2 * checkBytes);
  return { id, wrapping: derive('key wrap'), check };
}

/** The setting `DORMOUSE_ENCRYPTION_KEYS`. */
export const keyRingSchema = z.string().transform((text, context): KeyRing => {
  const ring: EncryptionKey[] = [];
  for (const [index, entry] of text.split(',').entries()) {
    const fault = addKey(ring, entry.trim());
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `key ${index + 1}: ${fault}`, input: '' });
  }
  return ring;
});

/** Returns what is wrong, in words that quote nothing but a valid id. */
function addKey(ring: EncryptionKey[], entry: string): string | undefined {
  const colon = entry.indexOf(':');
  if (colon < 0) return 'not of the form id:base64';
  const id = keyIdSchema.safeParse(entry.slice(0, colon));
  if (!id.success) return 'its id is not a DNS label of at most 32 characters';
  if (ring.some((known) => known.id === id.data)) return `the id ${id.data} comes twice`;
  const encoded = entry.slice(colon + 1);
  const secret = Buffer.from(encoded, 'base64');
  // Buffer skips what is no base64; a key that was mistyped must not become another key.
  if (secret.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) return `${id.data} is not base64`;
  if (secret.length !== keyBytes) return `${id.data} has ${secret.length} bytes, not ${keyBytes}`;
  ring.push(newEncryptionKey(id.data, secret));
  return undefined;
}
