/**
 * The text of a token: `dm_<id>_<secret>`. It is looked up by its id; what is kept of the secret is its SHA-256, which is
 * enough for one that nobody can guess (256 random bits).
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 64 random bits: no two tokens of one store ever share it, and nobody finds one by trying. */
export const tokenIdPattern = /^[0-9a-f]{16}$/;
const form = /^dm_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

export interface DrawnToken {
  readonly id: string;
  /** Told once, to whoever asked for the token. */
  readonly text: string;
  /** In hex, to be kept. */
  readonly secretSha256: string;
}

export function drawToken(): DrawnToken {
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { id, text: `dm_${id}_${secret}`, secretSha256: digestOf(secret).toString('hex') };
}

export interface PresentedToken {
  readonly id: string;
  readonly secret: string;
}

/** Undefined for a text that is no token. */
export function readToken(text: string): PresentedToken | undefined {
  const [, id, secret] = form.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Whether it is the secret that was kept; the time this takes says nothing about how much of it was right. */
export const isSecretOf = (secret: string, secretSha256: string): boolean =>
  timingSafeEqual(digestOf(secret), Buffer.from(secretSha256, 'hex'));
