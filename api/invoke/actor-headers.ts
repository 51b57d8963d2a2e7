/** The headers that cross the edge: what of the caller's reaches the actor, and what is added to the actor's answer. */
import type { IncomingMessage } from 'node:http';
import { ingressHeaders } from '../../shared/http/ingress-contract.ts';
import { endToEnd, type RawHeaders } from '../../shared/http/raw-headers.ts';
import type { Phases, StartKind } from '../../shared/registry/records.ts';
import { hasOurAuthorization } from '../access/credentials.ts';

export interface ToActor {
  readonly actorId: string;
  readonly epoch: string;
  readonly pass: string | undefined;
  readonly requestId: string;
  readonly isRootToken: (text: string) => boolean;
}

/** Ours to set; a caller's own are not believed. `x-forwarded-for` is continued, not replaced. */
const replaced: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
]);

const isOurs = (name: string): boolean => name.startsWith('dormouse-');

export function headersToActor(
  request: IncomingMessage,
  { actorId, epoch, pass, requestId, isRootToken }: ToActor,
): string[] {
  const ourAuthorization = hasOurAuthorization(request.rawHeaders, isRootToken);
  const kept = endToEnd(
    request.rawHeaders,
    (name) => !isOurs(name) && !replaced.has(name) && !(ourAuthorization && name === 'authorization'),
  );
  const before = request.headers['x-forwarded-for'];
  const client = request.socket.remoteAddress ?? 'unknown';
  kept.push('X-Forwarded-For', before === undefined ? client : `${String(before)}, ${client}`);
  kept.push('X-Forwarded-Proto', 'http');
  kept.push('X-Forwarded-Host', request.headers.host ?? '');
  kept.push('X-Request-Id', requestId);
  kept.push(ingressHeaders.actor, actorId, ingressHeaders.epoch, epoch);
  if (pass !== undefined) kept.push(ingressHeaders.pass, pass);
  return kept;
}

export interface AnswerFacts {
  readonly requestId: string;
  readonly start: StartKind;
  /** The activation that answered. */
  readonly epoch: string;
  /** Of the start that this request waited for; none for a hot one. */
  readonly phases: Phases;
  readonly appMs: number;
  readonly totalMs: number;
}

/** An actor's own `Server-Timing` stays; ours is one header more. */
export function headersOfAnswer(answer: IncomingMessage, facts: AnswerFacts): RawHeaders {
  const kept = endToEnd(answer.rawHeaders, (name) => !isOurs(name) && name !== 'x-request-id');
  const timing = serverTiming({ ...facts.phases, app: facts.appMs, total: facts.totalMs });
  kept.push('Server-Timing', timing, 'Dormouse-Start', facts.start, 'Dormouse-Epoch', facts.epoch);
  kept.push('X-Request-Id', facts.requestId);
  return kept;
}

/** Milliseconds by name, in order; names that are no token (RFC 9110) would spoil the header. */
export function serverTiming(phases: Phases): string {
  return Object.entries(phases)
    .filter(([name]) => /^[A-Za-z0-9_-]+$/.test(name))
    .map(([name, ms]) => `${name};dur=${Math.round(100 * ms) / 100}`)
    .join(', ');
}
