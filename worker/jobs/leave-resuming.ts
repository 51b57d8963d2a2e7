/**
 * The way out of a resume that failed:
 *
 *   the same attempt cannot succeed (damage, mismatch) ─► `failed`, with the reason
 *   it can (time-outs, no answer)                      ─► `suspended`, where the next call tries again
 *   the actor was paused here                          ─► `paused` as before; if its capture is gone or damaged it falls
 *                                                         back to its last generation, fenced
 */
import { fallBack } from '../../shared/actor/fall-back.ts';
import type { ActorState } from '../../shared/actor/lifecycle.ts';
import { serializeError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs } from '../../shared/jobs/contracts.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import { requireIntact } from '../activation/local-capture.ts';
import type { NodeContext } from '../node-context.ts';
import { moveActor } from './move-actor.ts';

/** Codes after which the same attempt fails again until somebody mends something. */
const permanent: ReadonlySet<string> = new Set([
  'snapshot-corrupt',
  'snapshot-missing',
  'snapshot-unsupported',
  'encryption-key-missing',
  'encryption-key-wrong',
  'lower-mismatch',
  'incompatible',
  'image-unavailable',
  'image-invalid',
  'container-exited',
  'container-start-failed',
  'probe-failed',
  'template-not-found',
]);

export async function leaveResuming(
  context: NodeContext,
  record: ActorRecord,
  epoch: string,
  cause: unknown,
): Promise<void> {
  const error = toDormouseError(cause);
  const reason = `resume failed: ${error.message}`;
  // The job's own time may be over; this has until whoever takes over.
  const signal = AbortSignal.timeout(handoverMs / 2);
  const to = await wayOut(context, record, error.code);
  context.log.warn({ err: error, actorId: record.id, epoch, to }, 'resume failed');
  if (to === 'fall back') {
    await fallBack({ ...context, record, reason, error: serializeError(error), signal });
    return;
  }
  const move = { id: record.id, from: ['resuming'], to, epoch, reason } as const;
  await moveActor(context, { ...move, update: { lastError: serializeError(error) } }, signal);
}

async function wayOut(
  context: NodeContext,
  { id, capture }: ActorRecord,
  code: string,
): Promise<Extract<ActorState, 'failed' | 'suspended' | 'paused'> | 'fall back'> {
  if (capture === undefined) return permanent.has(code) ? 'failed' : 'suspended';
  const local = context.captures.get(id, capture.epoch);
  if (local === undefined) return 'fall back';
  return await requireIntact(local).then(
    () => 'paused' as const,
    () => 'fall back' as const,
  );
}
