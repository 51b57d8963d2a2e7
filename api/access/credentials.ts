/** Where a request carries a token, and which of its headers must therefore never reach an actor. */
import type { IncomingMessage } from 'node:http';
import type { RawHeaders } from '../../shared/http/raw-headers.ts';

/** For invocations of actors that have an `Authorization` of their own; never reaches them. */
export const tokenHeader = 'dormouse-token';

/** A token in its own header goes first: then `Authorization` is the actor's own. */
export function credentialOf({ headers }: IncomingMessage): string | undefined {
  const own = headers[tokenHeader];
  return typeof own === 'string' ? own : bearerOf(headers.authorization);
}

/** Undefined for any other scheme. */
const bearerOf = (value: string | undefined): string | undefined => /^Bearer +(\S+) *$/i.exec(value ?? '')?.[1];

/** Wherever it stands in a value, and whether or not it is valid. */
const ourToken = /dm_[0-9a-f]{16}_/;

/**
 * Whether any `Authorization` of a request is meant for us: the root token, or what looks like a token that we gave out.
 * Every one of them is looked at: node's parsed headers tell of the first alone, but all would be passed on.
 */
export function hasOurAuthorization(headers: RawHeaders, isRoot: (text: string) => boolean): boolean {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name.length !== 'authorization'.length || name.toLowerCase() !== 'authorization') continue;
    const value = headers[index + 1] ?? '';
    const bearer = bearerOf(value);
    if (ourToken.test(value) || (bearer !== undefined && isRoot(bearer))) return true;
  }
  return false;
}
