/** Ends when the client of an answer leaves, when `limitMs` is over, or when one of `others` does. */
import type { FastifyReply } from 'fastify';

export function clientSignal(reply: FastifyReply, limitMs: number, ...others: AbortSignal[]): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort(new Error('the client left')));
  return AbortSignal.any([left.signal, AbortSignal.timeout(limitMs), ...others]);
}
