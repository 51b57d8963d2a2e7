/**
 * Starts an activation: chooses a node, claims the actor for it and sends the node its job. The claim is what makes a wake
 * single: of any number of callers in any number of processes one gets it, the others are told to wait.
 *
 * Failures: `no-capacity` (with the reason for each node), and those of the registry; a job that cannot be sent puts the
 * actor back to `suspended` at once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Epoch } from '../../shared/actor/epoch.ts';
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, jobLimitsMs } from '../../shared/jobs/contracts.ts';
import type { ActorRecord, Operation, TemplateRecord } from '../../shared/registry/records.ts';
import type { ApiParts } from '../parts.ts';
import { sendJob } from './operations.ts';
import { chooseNode, type Placement } from './placement.ts';

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
}

export type WakeResult =
  | { readonly outcome: 'claimed'; readonly epoch: Epoch; readonly operation: Operation }
  /** Somebody else moved the actor first: look again. */
  | { readonly outcome: 'overtaken' };

export async function startWake(parts: ApiParts, wake: Wake): Promise<WakeResult> {
  const { registry } = parts;
  const { record, template } = wake;
  const tried = new Set<string>();
  const closedUntil = performance.now() + closedLimitMs;
  for (;;) {
    const placement: Placement = {
      memoryMiB: record.memoryMiB,
      runtime: template.descriptor?.golden.runtime,
      preferred: wake.node,
      only: wake.node !== undefined,
      without: tried,
    };
    const choice = chooseNode(await registry.listNodes(), placement);
    if (choice.node === undefined) {
      const { current, closedMs } = await registry.life();
      if (current && closedMs === 0) throw noCapacity(choice.reasons, wake.node);
      await waitForPlacement(closedMs, closedUntil);
      continue;
    }
    const node = choice.node.id;
    const claim = await registry.claim(record.id, node, jobLimitsMs.resume + handoverMs, wake.reason);
    if (claim.outcome === 'claimed') {
      return { outcome: 'claimed', epoch: claim.epoch, operation: await order(parts, wake, node, claim.epoch) };
    }
    if (claim.outcome === 'closed') {
      await waitForPlacement(claim.opensInMs, closedUntil);
      continue;
    }
    if (claim.outcome !== 'no-room') return { outcome: 'overtaken' };
    tried.add(node);
  }
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

async function order(parts: ApiParts, wake: Wake, node: string, epoch: Epoch): Promise<Operation> {
  const { id } = wake.record;
  const traceparent = wake.traceparent === undefined ? {} : { traceparent: wake.traceparent };
  try {
    const subject = { actorId: id, epoch, ...traceparent };
    return await sendJob(parts, { kind: 'resume', target: id, node, subject });
  } catch (error) {
    parts.log.error({ err: error, actorId: id, epoch, node }, 'resume job not sent');
    await parts.registry.transition({
      id,
      from: ['resuming'],
      to: 'suspended',
      epoch,
      reason: 'its node could not be told',
      update: { lastError: serializeError(error) },
    });
    throw error;
  }
}

function noCapacity(reasons: Readonly<Record<string, string>>, node: string | undefined): DormouseError {
  const words = Object.entries(reasons).map(([id, reason]) => `${id}: ${reason}`);
  if (node !== undefined && !Object.hasOwn(reasons, node))
    return new DormouseError('node-not-found', `no node ${node}`);
  const why = words.length === 0 ? 'there are no nodes' : words.join(', ');
  return new DormouseError('no-capacity', `no node can take the actor (${why})`, { details: { nodes: reasons } });
}
