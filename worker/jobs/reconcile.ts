/**
 * Compares what this node holds with what the registry says it holds, at intervals, and ends what they do not agree on:
 *
 *   a VM or a capture of an activation that is over   ─► ended here, once that has been so for a while: its slot and its
 *                                                         files leak otherwise, but a registry may still be finding out
 *   an actor said to run or to be paused here, which this node does not hold ─► falls back to its last generation
 *
 * Either comes of an answer that was lost for good, or of a takeover while this node was cut off. An actor with a job in
 * hand is left to that job. Failures are logged, and the next round tries again.
 */
import { fallBack } from '../../shared/actor/fall-back.ts';
import type { ActorState } from '../../shared/actor/lifecycle.ts';
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import type { ActorLook } from '../../shared/registry/registry.ts';
import type { NodeContext } from '../node-context.ts';
import type { JobsInHand } from './job-in-hand.ts';
import { endActivation } from './run-on.ts';

const fallBackLimitMs = 20_000;
/** The states in which an activation has its VM. */
const withVm: ReadonlySet<ActorState> = new Set(['resuming', 'running', 'pausing', 'suspending']);

/** Since when what the node holds has been found to be over. */
export interface Over {
  readonly since: WeakMap<object, number>;
  readonly graceMs: number;
}

export async function reconcile(
  context: NodeContext,
  jobs: JobsInHand,
  over: Over = { since: new WeakMap(), graceMs: 0 },
): Promise<void> {
  await endWhatIsOver(context, jobs, over);
  for (const first of await context.registry.looksOnNode(context.nodeId)) {
    const { id } = first;
    if (jobs.has(id) || !isMissed(context, first)) continue;
    // A job may have ended between the two looks; what is the same before and after was really missing in between.
    const again = await context.registry.getActor(id);
    if (again === undefined || again.state !== first.state || again.epoch !== first.epoch) continue;
    await letFallBack(context, again);
  }
}

async function endWhatIsOver(context: NodeContext, jobs: JobsInHand, over: Over): Promise<void> {
  const looks = await context.registry.looksOnNode(context.nodeId);
  const expected = new Map(looks.map((look) => [look.id, look]));
  for (const activation of context.activations.all()) {
    const { identity, epoch } = activation;
    if (jobs.has(identity.id)) continue;
    const isIts = (look?: ActorLook): boolean => look?.epoch === epoch && withVm.has(look.state);
    // One that was begun since the first look is not in it.
    const holds = isIts(expected.get(identity.id)) || isIts(await context.registry.getActor(identity.id));
    if (!isOver(over, activation, holds) || jobs.has(identity.id)) continue;
    context.log.error({ actorId: identity.id, epoch }, 'ending a virtual machine whose activation is over');
    await endActivation(context, activation);
  }
  for (const local of context.captures.all()) {
    const { identity, epoch } = local;
    if (jobs.has(identity.id)) continue;
    const record = await context.registry.getActor(identity.id);
    if (!isOver(over, local, record?.capture?.epoch === epoch) || jobs.has(identity.id)) continue;
    context.log.info({ actorId: identity.id, epoch }, 'dropping a capture that nobody resumes from any more');
    await context.captures.drop(local);
  }
}

function isOver({ since, graceMs }: Over, held: object, isCurrent: boolean): boolean {
  if (isCurrent) {
    since.delete(held);
    return false;
  }
  const first = since.get(held) ?? performance.now();
  since.set(held, first);
  return performance.now() - first >= graceMs;
}

/** Nothing of the actor is here, of whatever epoch: a fence must not hit an activation that the registry has forgotten. */
function isMissed(context: NodeContext, { id, state, node }: ActorLook): boolean {
  if (node !== context.nodeId || (state !== 'running' && state !== 'paused')) return false;
  return !isHeld(context, id);
}

/** Whether this node has anything of the actor: a VM, also one whose end it is about to tell, or the capture that it was paused with. */
export function isHeld({ activations, captures }: NodeContext, id: string): boolean {
  const hasVm = activations.get(id) !== undefined || activations.isBeingLost(id);
  return hasVm || captures.all().some(({ identity }) => identity.id === id);
}

export async function letFallBack(context: NodeContext, record: ActorRecord): Promise<void> {
  const reason = `node ${context.nodeId} does not hold it any more`;
  const error = serializeError(new DormouseError('vmm-failed', reason, { details: { epoch: record.epoch } }));
  const signal = AbortSignal.timeout(fallBackLimitMs);
  const result = await fallBack({ ...context, record, reason, error, signal });
  context.log.error({ actorId: record.id, epoch: record.epoch, ...result }, 'actor fell back');
}
