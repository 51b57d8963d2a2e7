/**
 * A data key under one of the configured keys, as a small JSON document: AES-256-GCM with a random nonce (good for four
 * thousand million wraps of one key). The additional data holds the key's id and the object's key, so that a wrap opens
 * in no other place.
 *
 * Failures: `encryption-key-wrong` when the configured key of this id is another one than it was wrapped with, and
 * `snapshot-corrupt` when it is the right one and the wrap still does not open.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { DormouseError } from '../errors/dormouse-error.ts';
import { keyBytes, keyIdSchema, type EncryptionKey } from './key-ring.ts';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const hex = (bytes: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));

const wrappedKeySchema = z.strictObject({
  formatVersion: z.literal(1),
  keyId: keyIdSchema,
  keyCheck: z.string(),
  nonce: hex(nonceBytes),
  wrapped: hex(keyBytes),
  tag: hex(tagBytes),
});

/** A wrap has 250 bytes. */
export const maxWrapBytes = 4096;

const additionalData = (keyId: string, objectKey: string): Buffer =>
  Buffer.from(`dormouse data key 1\0${keyId}\0${objectKey}`);

export function wrapKey(key: EncryptionKey, objectKey: string, dataKey: KeyObject): Buffer {
  const nonce = randomBytes(nonceBytes);
  const wrapping = createCipheriv(cipher, key.wrapping, nonce).setAAD(additionalData(key.id, objectKey));
  const wrapped = Buffer.concat([wrapping.update(dataKey.export()), wrapping.final()]);
  const document: z.infer<typeof wrappedKeySchema> = {
    formatVersion: 1,
    keyId: key.id,
    keyCheck: key.check,
    nonce: nonce.toString('hex'),
    wrapped: wrapped.toString('hex'),
    tag: wrapping.getAuthTag().toString('hex'),
  };
  return Buffer.from(JSON.stringify(document));
}

export function unwrapKey(key: EncryptionKey, objectKey: string, document: Uint8Array): KeyObject {
  const wrap = parseWrap(key, objectKey, document);
  if (wrap.keyCheck !== key.check) {
    const words = `the configured key ${key.id} is not the one that ${objectKey} was encrypted with`;
    throw new DormouseError('encryption-key-wrong', words, { details: { object: objectKey, keyId: key.id } });
  }
  const opening = createDecipheriv(cipher, key.wrapping, Buffer.from(wrap.nonce, 'hex'), { authTagLength: tagBytes })
    .setAAD(additionalData(key.id, objectKey))
    .setAuthTag(Buffer.from(wrap.tag, 'hex'));
  const dataKey = opening.update(Buffer.from(wrap.wrapped, 'hex'));
  try {
    return createSecretKey(Buffer.concat([dataKey, opening.final()]));
  } catch (cause) {
    throw corrupt(key, objectKey, cause);
  }
}

/** Whether the document has the form of a key wrapped by the key of that id. Says nothing about whether it opens. */
export function isWrappedKey(document: Uint8Array, keyId: string | undefined): boolean {
  try {
    return wrappedKeySchema.parse(JSON.parse(Buffer.from(document).toString('utf8'))).keyId === keyId;
  } catch {
    return false;
  }
}

function parseWrap(key: EncryptionKey, objectKey: string, document: Uint8Array): z.infer<typeof wrappedKeySchema> {
  try {
    return wrappedKeySchema.parse(JSON.parse(Buffer.from(document).toString('utf8')));
  } catch (cause) {
    throw corrupt(key, objectKey, cause);
  }
}

const corrupt = ({ id }: EncryptionKey, objectKey: string, cause: unknown): DormouseError =>
  new DormouseError('snapshot-corrupt', `the data key of ${objectKey}, wrapped by ${id}, is damaged`, {
    cause,
    details: { object: objectKey, keyId: id },
  });
