/**
 * After the node has its lease again: each activation that was frozen is looked up, first in the registry, then in its
 * log. Whoever still is what he was goes on, with a new clock; whoever is not ends, without having run in between. A
 * registry that knows nothing of an activation may have lost it: then it is offered back first (offer-back.ts).
 *
 * A registry or a store that does not answer is asked again while the lease lasts: the actor stays frozen, and its calls
 * wait.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { catchUp, type LogEntry } from '../../shared/snapshot/actor-log.ts';
import { compareEpochs, type Epoch } from '../../shared/actor/epoch.ts';
import type { ActorState } from '../../shared/actor/lifecycle.ts';
import type { Activation } from '../activation/activation.ts';
import { loseActivation } from '../jobs/lose-activation.ts';
import type { NodeContext } from '../node-context.ts';
import type { Fence } from './fence.ts';
import { offerBack } from './offer-back.ts';

const askAgainMs = 500;

/** States in which a job of this node has the actor in hand: it goes on where it was stopped. */
const inHand: ReadonlySet<ActorState> = new Set(['suspending', 'pausing']);

type Verdict = { readonly goesOn: 'serving' | 'in-hand' } | { readonly goesOn: false; readonly because: string };

export async function readmitAll(
  context: NodeContext,
  fence: Pick<Fence, 'letRun' | 'readmit'>,
  frozen: readonly Activation[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(frozen.map((activation) => readmit(context, fence, activation, signal)));
}

async function readmit(
  context: NodeContext,
  fence: Pick<Fence, 'letRun' | 'readmit'>,
  activation: Activation,
  signal: AbortSignal,
): Promise<void> {
  const lapsed = (): boolean => signal.aborted;
  const log = context.log.child({ actorId: activation.identity.id, epoch: activation.epoch });
  const verdict = await judgeUntilClear(context, activation, signal);
  if (verdict === undefined || lapsed()) return;
  if (verdict.goesOn === false) {
    await loseActivation(context, activation, `dormouse: the node was cut off, and meanwhile ${verdict.because}`);
    return;
  }
  fence.letRun(activation);
  try {
    // A job in hand has its own next step, and the guest may be quiesced for it.
    if (verdict.goesOn === 'serving') await activation.sandbox.wake(activation.identity, signal);
  } catch (error) {
    if (lapsed()) return; // frozen once more: it is judged again
    log.error({ err: error }, 'actor did not go on');
    await loseActivation(context, activation, 'dormouse: it did not answer after the node had been frozen');
    return;
  }
  if (lapsed()) return;
  fence.readmit(activation);
  log.info('actor goes on');
}

/** Undefined when the lease lapsed before an answer was had. */
async function judgeUntilClear(
  context: NodeContext,
  activation: Activation,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  while (!signal.aborted) {
    try {
      return await judge(context, activation, signal);
    } catch (error) {
      context.log.warn({ err: error, actorId: activation.identity.id }, 'frozen actor not looked up');
      await delay(askAgainMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

/** Reads the registry first: whoever takes an actor writes there, or declares this boot over, before he fences its log. */
async function judge(context: NodeContext, activation: Activation, signal: AbortSignal): Promise<Verdict> {
  const { identity, epoch } = activation;
  const record = await context.registry.getActor(identity.id).catch(unlessForgotten);
  if (record?.uid !== identity.uid || record.epoch !== epoch || record.node !== context.nodeId) {
    const offer = await offerBack(context, activation, signal);
    return offer.taken ? { goesOn: 'serving' } : { goesOn: false, because: offer.because };
  }
  if (record.state !== 'running' && !inHand.has(record.state)) {
    return { goesOn: false, because: `the registry came to have it ${record.state}` };
  }
  const newer = await catchUp(context.store, identity.id, record.logSeq, { signal });
  const foreign = newer.find((entry) => !isHarmless(entry, epoch));
  if (foreign !== undefined) return { goesOn: false, because: `its log got a ${foreign.kind} entry` };
  return { goesOn: record.state === 'running' ? 'serving' : 'in-hand' };
}

/** The registry says so as well while it is read back from the store; one that does not answer fails at the next question. */
function unlessForgotten(error: unknown): undefined {
  if (toDormouseError(error).code !== 'registry-unavailable') throw error;
  return undefined;
}

/** A generation of this very activation is an earlier commit of it; a fence of an earlier one says nothing about it. */
const isHarmless = (entry: LogEntry, epoch: Epoch): boolean =>
  (entry.kind === 'snapshot' && entry.epoch === epoch) ||
  (entry.kind === 'fence' && compareEpochs(entry.fencedEpoch, epoch) < 0);
