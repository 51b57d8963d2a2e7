/**
 * Who may do what. A request carries the root token (DORMOUSE_TOKEN: everything, no limit) or one that POST /v1/tokens gave
 * out, with scopes, a rate limit, an end, and perhaps a namespace that it is bound to. Where no root token is configured nothing is asked of anybody: then the api
 * listens on loopback alone (config.ts).
 *
 * Failures: `unauthorized` (no token, an unknown, wrong, ended or revoked one: which of them is not said), `forbidden`
 * (not its scope), `rate-limited`, and the store's own when a token cannot be looked up.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RateLimit, Scope, StoredToken } from '../../shared/access/stored-tokens.ts';
import { digestOf, isSecretOf, readToken, type PresentedToken } from '../../shared/access/token-text.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { credentialOf } from './credentials.ts';
import type { Caller } from './namespace.ts';
import { createBucket, type Bucket } from './token-bucket.ts';
import type { TokenCache } from './token-cache.ts';

export interface Access {
  /** Throws unless the request may do what needs the scope. */
  admit(request: IncomingMessage, scope: Scope): Promise<Caller>;
  /** Whether a text is the root token. */
  readonly isRoot: (text: string) => boolean;
}

/** Buckets of tokens in use; the one made first goes, and its token starts with a full one again. */
const keptBuckets = 10_000;

export function createAccess(rootToken: string | undefined, tokens: TokenCache): Access {
  const root = rootToken === undefined ? undefined : digestOf(rootToken);
  const isRoot = (text: string): boolean => root !== undefined && timingSafeEqual(digestOf(text), root);
  const limits = rateLimits();
  return {
    isRoot,
    async admit(request, scope) {
      if (root === undefined) return unbound;
      const text = credentialOf(request);
      if (text !== undefined && isRoot(text)) return unbound;
      const presented = readToken(text ?? '');
      if (presented === undefined) throw unauthorized();
      const token = await tokens.get(presented.id);
      if (token === undefined || !isGood(token, presented)) throw unauthorized();
      limits.take(token);
      requireScope(token, scope);
      return { boundTo: token.namespace };
    },
  };
}

const unbound: Caller = { boundTo: undefined };

function isGood({ secretSha256, revokedAt, expiresAt }: StoredToken, { secret }: PresentedToken): boolean {
  if (secretSha256 === undefined || revokedAt !== undefined) return false;
  const isRight = isSecretOf(secret, secretSha256);
  return isRight && (expiresAt === undefined || Date.parse(expiresAt) > Date.now());
}

function requireScope({ name, scopes }: StoredToken, scope: Scope): void {
  if (scopes.includes(scope) || scopes.includes('admin')) return;
  throw new DormouseError('forbidden', `this needs the scope ${scope}, which the token ${name} does not have`);
}

const unauthorized = (): DormouseError => new DormouseError('unauthorized', 'the request carries no valid token');

function rateLimits() {
  const buckets = new Map<string, Bucket>();
  const bucketOf = (id: string, limit: RateLimit): Bucket => {
    const before = buckets.get(id);
    if (before !== undefined) return before;
    const [oldest] = buckets.keys();
    if (buckets.size >= keptBuckets && oldest !== undefined) buckets.delete(oldest);
    const bucket = createBucket(limit);
    buckets.set(id, bucket);
    return bucket;
  };
  return {
    take({ id, name, rateLimit }: StoredToken): void {
      const waitMs = rateLimit === undefined ? 0 : bucketOf(id, rateLimit).take();
      if (waitMs === 0) return;
      const message = `the token ${name} is limited to ${rateLimit?.perSecond ?? 0} calls a second`;
      throw new DormouseError('rate-limited', message, { retryAfterMs: waitMs });
    },
  };
}
