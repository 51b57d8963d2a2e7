/**
 * Create-only writes over a network, where an answer can get lost: the server stored our object, we saw a broken
 * connection, and the retry is told "exists". So each call signs its object with an id of its own, kept as metadata of
 * the object in the same atomic write, and a refusal counts only after the signature was read:
 *
 *   upload ── accepted ──────────────────────────────▶ 'created'
 *          ── refused: there is an object ── ours ───▶ 'created'   (an earlier attempt of this call had arrived)
 *                                          ─ other ──▶ 'exists'
 *          ── no clear answer ── object there ───────▶ as above
 *                             ── none ── pause ──────▶ upload again, until the call's deadline: then an error
 *
 * An id is never used twice, so two callers can never both find themselves, even with equal contents. An attempt that
 * was given up may still arrive later; it carries the same id and the same condition, so the next one finds it.
 */
import { randomUUID } from 'node:crypto';
import { canPass, pauseAfterAttempt, type StoreCall } from './store-call.ts';

/** Name of the metadata entry that holds the writer's id. */
export const writerMetadataName = 'dormouse-writer';

export interface CreateOnlyTarget {
  /** One conditional upload. 'refused' is the server's word that the key has an object. */
  upload(writerId: string, signal: AbortSignal): Promise<'accepted' | 'refused'>;
  /** The writer id that the key's object carries ('' if none), or undefined if the key has no object. */
  readWriterId(signal: AbortSignal): Promise<string | undefined>;
}

export async function createOnce(
  call: StoreCall,
  sizeBytes: number,
  target: CreateOnlyTarget,
): Promise<'created' | 'exists'> {
  const writerId = randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await orPassingError(target.upload(writerId, call.attemptSignal(sizeBytes)), call);
    if (outcome === 'accepted') return 'created';
    const found = await orPassingError(target.readWriterId(call.attemptSignal(0)), call);
    if (typeof found === 'string') return found === writerId ? 'created' : 'exists';
    // Refused, and gone since: someone created it, and it was not left for us. Saying so is the safe answer.
    if (outcome === 'refused' && found === undefined) return 'exists';
    await pauseAfterAttempt(attempt, call.signal).catch((ended: unknown) => {
      throw outcome instanceof Error ? outcome : ended;
    });
  }
}

/** A failure that can pass becomes a value: the caller has to find out what happened. */
async function orPassingError<T>(work: Promise<T>, call: StoreCall): Promise<T | Error> {
  try {
    return await work;
  } catch (error) {
    if (call.signal.aborted || !canPass(error) || !(error instanceof Error)) throw error;
    return error;
  }
}
