/**
 * Tokens in the store, their only place: the registry has no copy, so nothing of them is lost with it or has to be read back.
 *
 *   created (create-only) ──► revoked (the record is replaced; it stays)
 *
 * A revoked token keeps its record, without its digest: over a network a `create` that was given up can arrive late, and
 * would bring a token back whose key had become free.
 *
 * Failures: those of the store, and `internal` for a record that cannot be read.
 */
import { z } from 'zod';
import { namespaceSchema } from '../actor/namespace.ts';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { objectKeys, tokenOf } from '../snapshot/object-keys.ts';
import { tokenIdPattern } from './token-text.ts';

/** What a token lets its bearer do. `admin` includes the others. */
export const scopes = ['admin', 'invoke', 'read'] as const;
export const scopeSchema = z.enum(scopes);
export type Scope = z.infer<typeof scopeSchema>;

/** A bucket of `burst` calls that `perSecond` refill. */
export const rateLimitSchema = z.strictObject({
  perSecond: z.number().min(0.01).max(100_000),
  burst: z.number().int().min(1).max(100_000),
});
export type RateLimit = z.infer<typeof rateLimitSchema>;

const storedTokenSchema = z.object({
  /** 2: bound to a namespace. Who knows only 1 refuses the token instead of letting it go everywhere. */
  formatVersion: z.union([z.literal(1), z.literal(2)]),
  id: z.string().regex(tokenIdPattern),
  name: z.string(),
  scopes: z.array(scopeSchema).min(1),
  rateLimit: rateLimitSchema.optional(),
  expiresAt: z.iso.datetime().optional(),
  /** It works in this one alone. */
  namespace: namespaceSchema.optional(),
  createdAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().optional(),
  /** Hex; gone once it is revoked. */
  secretSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type StoredToken = z.infer<typeof storedTokenSchema>;

/** A record has some hundred bytes; its name is bounded by the API. */
const maxBytes = 16 * 1024;

export async function createStoredToken(store: ObjectStore, token: StoredToken): Promise<void> {
  const outcome = await store.create(objectKeys.token(token.id), bodyOf(token));
  if (outcome === 'exists') throw new DormouseError('internal', `the id ${token.id} of a new token is taken`);
}

/** Also returns a revoked one. */
export async function readStoredToken(
  store: ObjectStore,
  id: string,
  options?: CallOptions,
): Promise<StoredToken | undefined> {
  const key = objectKeys.token(id);
  let bytes: Buffer;
  try {
    bytes = await store.get(key, { ...options, maxBytes });
  } catch (error) {
    if (error instanceof DormouseError && error.code === 'store-object-missing') return undefined;
    throw error;
  }
  return parseStoredToken(key, bytes);
}

export function parseStoredToken(key: string, bytes: Buffer): StoredToken {
  try {
    const token = storedTokenSchema.parse(JSON.parse(bytes.toString('utf8')));
    if (objectKeys.token(token.id) !== key) throw new Error('it is the record of another token');
    return token;
  } catch (cause) {
    throw new DormouseError('internal', `the token record ${key} cannot be read`, { cause, details: { object: key } });
  }
}

/** Durable when it returns. */
export async function revokeStoredToken(store: ObjectStore, token: StoredToken): Promise<void> {
  const { secretSha256: _forgotten, ...rest } = token;
  await store.put(objectKeys.token(token.id), bodyOf({ ...rest, revokedAt: new Date().toISOString() }));
}

/** Those that are not revoked, by id, after the given one. */
export async function listStoredTokens(store: ObjectStore, limit: number, after = ''): Promise<StoredToken[]> {
  const found: StoredToken[] = [];
  for await (const { key } of store.list(objectKeys.tokenFolder)) {
    const id = tokenOf(key);
    if (id === undefined || id <= after) continue;
    const token = await readStoredToken(store, id);
    if (token !== undefined && token.revokedAt === undefined) found.push(token);
    if (found.length >= limit) break;
  }
  return found;
}

const bodyOf = (token: StoredToken) => ({ kind: 'bytes', bytes: Buffer.from(JSON.stringify(token)) }) as const;
