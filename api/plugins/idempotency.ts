/**
 * `Idempotency-Key` on POST: the same key with the same body gets the same answer, and the work is done once. New tokens
 * and webhooks are the exception: each POST of one makes one.
 *
 * Two things stand in the registry. The claim (the body's fingerprint) is taken first, and is short-lived, so that a
 * process that died does not block the key for long; the answer, kept for a day, takes its place. A failure that is ours
 * (5xx) is not remembered: the caller may try again with the same key.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { qualify } from '../../shared/actor/namespace.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { canonicalJson } from '../../shared/template/template-spec.ts';

/** Longer than the longest POST (`Prefer: wait`). */
const claimTtlMs = 300_000;
const answerTtlMs = 24 * 3600 * 1000;
const keySchema = z.string().regex(/^[\x21-\x7e]{1,128}$/);

const answerSchema = z.object({
  fingerprint: z.string(),
  status: z.number(),
  contentType: z.string(),
  location: z.string().optional(),
  body: z.string(),
});

interface Claim {
  readonly scope: string;
  readonly fingerprint: string;
}

export function honourIdempotencyKeys(app: FastifyInstance, registry: Registry): void {
  const claims = new WeakMap<FastifyRequest, Claim>();
  app.addHook('preHandler', async (request, reply) => {
    const claim = claimOf(request);
    if (claim === undefined) return;
    const answer = (await recall(registry, claim)) ?? (await take(registry, claim));
    if (answer === undefined) {
      claims.set(request, claim);
      return;
    }
    if (answer.location !== undefined) void reply.header('location', answer.location);
    await reply.code(answer.status).type(answer.contentType).serializer(String).send(answer.body);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const claim = claims.get(request);
    if (claim === undefined || typeof payload !== 'string') return;
    claims.delete(request);
    try {
      if (reply.statusCode < 500) await remember(registry, claim, reply, payload);
      await registry.forget(claim.scope);
    } catch (error) {
      // The work is done; that it was not remembered must not turn its answer into an error.
      request.log.warn({ err: error }, 'answer not remembered');
    }
  });
}

/** A secret that is told once must not stand in the registry for a day. */
const tellsSecrets = ({ routeOptions }: FastifyRequest): boolean =>
  routeOptions.url === '/v1/tokens' || routeOptions.url === '/v1/webhooks';

function claimOf(request: FastifyRequest): Claim | undefined {
  const given = request.headers['idempotency-key'];
  if (request.method !== 'POST' || given === undefined || tellsSecrets(request)) return undefined;
  const key = keySchema.safeParse(given);
  if (!key.success) {
    const message = '1 to 128 printable characters';
    throw new DormouseError('invalid-input', `Idempotency-Key: ${message}`, {
      errors: [{ field: 'headers.idempotency-key', message }],
    });
  }
  const path = request.url.split('?')[0] ?? '';
  const fingerprint = createHash('sha256')
    .update(canonicalJson(request.body ?? null))
    .digest('hex');
  // The key of one namespace says nothing in another.
  return { scope: `${qualify(request.namespace, path)}:${key.data}`, fingerprint };
}

async function recall(registry: Registry, claim: Claim): Promise<z.infer<typeof answerSchema> | undefined> {
  const stored = await registry.recall(`${claim.scope}:answer`);
  if (stored === undefined) return undefined;
  const answer = answerSchema.parse(JSON.parse(stored));
  requireSame(answer.fingerprint, claim);
  return answer;
}

/** Undefined when this request now holds the key. */
async function take(registry: Registry, claim: Claim): Promise<z.infer<typeof answerSchema> | undefined> {
  const holder = await registry.remember(claim.scope, claim.fingerprint, claimTtlMs);
  if (holder !== undefined) requireSame(holder, claim);
  // The first request may have ended between our look for its answer and our claim.
  const answer = await recall(registry, claim);
  if (holder === undefined && answer !== undefined) await registry.forget(claim.scope);
  if (holder === undefined || answer !== undefined) return answer;
  throw new DormouseError('state-conflict', 'the first request with this Idempotency-Key is still being worked on', {
    retryAfterMs: 1000,
  });
}

async function remember(
  registry: Registry,
  { scope, fingerprint }: Claim,
  reply: { readonly statusCode: number; getHeader(name: string): unknown },
  body: string,
): Promise<void> {
  const location = reply.getHeader('location');
  const contentType = reply.getHeader('content-type');
  const answer: z.infer<typeof answerSchema> = {
    fingerprint,
    status: reply.statusCode,
    contentType: typeof contentType === 'string' ? contentType : 'application/json',
    ...(typeof location === 'string' && { location }),
    body,
  };
  await registry.remember(`${scope}:answer`, JSON.stringify(answer), answerTtlMs);
}

function requireSame(fingerprint: string, claim: Claim): void {
  if (fingerprint === claim.fingerprint) return;
  throw new DormouseError('idempotency-key-reused', 'this Idempotency-Key came with another body before');
}
