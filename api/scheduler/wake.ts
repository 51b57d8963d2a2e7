/**
 * Starts an activation: chooses a node, claims the actor for it and sends the node its job. The claim is what makes a wake
 * single: of any number of callers in any number of processes one gets it, the others are told to wait.
 *
 * A paused actor wakes on the node that keeps its capture. If that node is dead the actor falls back first, fenced, and
 * the caller looks again.
 *
 * Failures: `no-capacity` and `incompatible` (with the reason for each node), and those of the registry; a job that cannot
 * be sent puts the actor back to where it was at once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Epoch } from '../../shared/actor/epoch.ts';
import { fallBack } from '../../shared/actor/fall-back.ts';
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, jobLimitsMs } from '../../shared/jobs/contracts.ts';
import type { ActorRecord, NodeStatus, Operation, TemplateRecord } from '../../shared/registry/records.ts';
import type { ApiParts } from '../parts.ts';
import { newOperation, sendJobOf } from './operations.ts';
import { chooseNode, refusal, type Placement } from './placement.ts';
import { laneOf } from './lanes.ts';

/** Longer than the default lease, after which placement opens in any case. */
const closedLimitMs = 15_000;
const closedLookMs = 200;

export interface Wake {
  readonly record: ActorRecord;
  readonly template: TemplateRecord;
  /** The only node that will do. */
  readonly node?: string | undefined;
  readonly reason: string;
  readonly traceparent?: string | undefined;
  /** The nodes are to be seen as of this instant (of `performance.now()`), or later; otherwise as they were a moment ago. */
  readonly asOf?: number | undefined;
}

export type WakeResult =
  | { readonly outcome: 'claimed'; readonly epoch: Epoch; readonly operation: Operation }
  /** Somebody else moved the actor first: look again. */
  | { readonly outcome: 'overtaken' };

const fallBackLimitMs = 20_000;

/** Waits for its turn when many want to. */
export const startWake = (parts: ApiParts, wake: Wake): Promise<WakeResult> =>
  parts.starts.run(laneOf(wake.record), () => start(parts, wake));

async function start(parts: ApiParts, wake: Wake): Promise<WakeResult> {
  const { registry } = parts;
  const { record } = wake;
  const only = wake.node ?? (record.state === 'paused' ? record.node : undefined);
  const tried = new Set<string>();
  const closedUntil = performance.now() + closedLimitMs;
  // Whether a paused actor's node is gone is not told by an old look.
  let asOf = wake.asOf ?? (record.state === 'paused' ? performance.now() : undefined);
  for (;;) {
    const nodes = await parts.seen.list(asOf);
    if (record.state === 'paused' && isGone(nodes, record.node)) return await leaveDeadNode(parts, record);
    const choice = chooseNode(nodes, { ...placementOf(wake), only, without: tried });
    if (choice.node === undefined && asOf === undefined) {
      asOf = performance.now();
      continue;
    }
    if (choice.node === undefined) {
      const { current, closedMs } = await registry.life();
      if (current && closedMs === 0) throw refusal(choice.unfit, only);
      await waitForPlacement(closedMs, closedUntil);
      asOf = performance.now();
      continue;
    }
    const node = choice.node.id;
    const operation = newOperation('resume', record.id, node);
    const claim = await registry.claim(record.id, node, jobLimitsMs.resume + handoverMs, wake.reason, operation);
    if (claim.outcome === 'claimed') {
      parts.seen.place(node, record.memoryMiB);
      await order(parts, wake, operation, node, claim.epoch);
      return { outcome: 'claimed', epoch: claim.epoch, operation };
    }
    if (claim.outcome === 'closed') {
      await waitForPlacement(claim.opensInMs, closedUntil);
      continue;
    }
    if (claim.outcome !== 'no-room') return { outcome: 'overtaken' };
    tried.add(node);
  }
}

/** What the actor's next start needs of a node. An actor that boots has no snapshot to be loaded. */
export function placementOf({ record, template }: Pick<Wake, 'record' | 'template'>): Placement {
  const { memoryMiB, coldStart, generation, revision, lastNode } = record;
  const golden = coldStart && generation === 0 ? undefined : template.descriptor?.golden.runtime;
  return { memoryMiB, runtime: record.runtime ?? golden, revision, lastNode };
}

const isGone = (nodes: readonly NodeStatus[], id: string | undefined): boolean =>
  (nodes.find((node) => node.id === id)?.leaseMs ?? 0) === 0;

async function leaveDeadNode({ store, registry, log }: ApiParts, record: ActorRecord): Promise<WakeResult> {
  const reason = `paused on ${record.node ?? 'a node'}, which is gone`;
  const signal = AbortSignal.timeout(fallBackLimitMs);
  const result = await fallBack({ store, registry, record, reason, signal });
  log.warn({ actorId: record.id, epoch: record.epoch, ...result }, 'paused actor fell back');
  return { outcome: 'overtaken' };
}

/** The registry has just begun a new life (shared/registry/incarnation.ts): every node is asked what it runs. */
async function waitForPlacement(opensInMs: number | undefined, until: number): Promise<void> {
  if (performance.now() < until) {
    await delay(closedLookMs);
    return;
  }
  throw new DormouseError('no-capacity', 'nothing is placed until every node has said what it runs', {
    retryAfterMs: opensInMs ?? closedLookMs,
  });
}

async function order(parts: ApiParts, wake: Wake, operation: Operation, node: string, epoch: Epoch): Promise<void> {
  const { id, state } = wake.record;
  const traceparent = wake.traceparent === undefined ? {} : { traceparent: wake.traceparent };
  try {
    const subject = { actorId: id, epoch, ...traceparent };
    // Should this process end before the job is sent, the node takes it up by itself (worker/jobs/take-up.ts).
    await sendJobOf<'resume'>(parts, operation, node, subject, laneOf(wake.record));
  } catch (error) {
    parts.log.error({ err: error, actorId: id, epoch, node }, 'resume job not sent');
    await parts.registry.transition({
      id,
      from: ['resuming'],
      to: state === 'paused' ? 'paused' : 'suspended',
      epoch,
      reason: 'its node could not be told',
      update: { lastError: serializeError(error) },
    });
    throw error;
  }
}
