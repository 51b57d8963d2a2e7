/** The bearer token. Compared by digest, so that the time it takes says nothing about how much of it was right. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

/** For invocations of actors that have an `Authorization` of their own; never reaches them. */
export const tokenHeader = 'dormouse-token';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const equal = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

/** Whether an `Authorization` value is our own token. */
export function isOurAuthorization(value: string | undefined, token: string | undefined): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(value ?? '')?.[1];
  return token !== undefined && given !== undefined && equal(given, token);
}

/** Throws `unauthorized` unless the request carries the token, or none is required. */
export function requireToken(request: IncomingMessage, token: string | undefined): void {
  if (token === undefined || isOurAuthorization(request.headers.authorization, token)) return;
  const own = request.headers[tokenHeader];
  if (typeof own === 'string' && equal(own, token)) return;
  throw new DormouseError('unauthorized', 'the request carries no valid token');
}
