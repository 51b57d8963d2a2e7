/**
 * Leads actors out of states that nobody else will lead them out of. One process at a time does it: the one that leads.
 * Every move is fenced by the epoch, so a second reaper, or a node that was only slow, cannot be harmed by it.
 *
 *   overdue `resuming`, `pausing`, `suspending` ─► fall back to the newest committed generation (shared/actor/fall-back.ts)
 *   overdue `deleting`                          ─► the job again, to any live node
 *   any activation on a node without a lease    ─► fall back, after a grace, once the node's boot is declared over
 *   a job of such a node                        ─► to another node, or its operation fails (reap-operations.ts)
 *   an operation that is overdue                ─► `failed`
 *   a template `preparing` for too long         ─► `failed`
 *
 * Failures are logged and the next round tries again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fallBack } from '../../shared/actor/fall-back.ts';
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, jobLimitsMs } from '../../shared/jobs/contracts.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import { sendDelete } from './actor-requests.ts';
import { attempt, countAction, handOnJobs, reapOverdueOperations, type ReaperParts } from './reap-operations.ts';

export interface ReaperOptions {
  /** Names this process among those that could lead. */
  readonly holder: string;
  /** A node whose lease has been over for this long is taken for dead. Its VMs froze before the lease ran out. */
  readonly graceMs: number;
  readonly everyMs?: number;
}

const defaultEveryMs = 1000;
/** A leader that dies is followed by another one after this long. */
const leadTtlMs = 5000;
/** Actors per round: a mass failure is worked off in portions, the leadership renewed between them. */
const batch = 100;
const fallBackLimitMs = 20_000;
/** Preparing takes minutes, so looking for templates that take too long need not be done every second. */
const templatesEveryRounds = 10;

export interface Reaper extends AsyncDisposable {
  readonly stopped: Promise<void>;
}

export function startReaper(parts: ReaperParts, options: ReaperOptions): Reaper {
  const stop = new AbortController();
  const stopped = run(parts, options, stop.signal);
  return {
    stopped,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await stopped;
    },
  };
}

async function run(parts: ReaperParts, options: ReaperOptions, stop: AbortSignal): Promise<void> {
  const deadSince = new Map<string, number>();
  let leads = false;
  for (let round = 0; !stop.aborted; round++) {
    try {
      leads = await parts.registry.lead('reaper', options.holder, leadTtlMs);
      if (leads) {
        await reapOverdue(parts);
        await reapDeadNodes(parts, deadSince, options.graceMs);
        await reapOverdueOperations(parts);
        if (round % templatesEveryRounds === 0) await reapTemplates(parts);
      }
    } catch (error) {
      // While the registry is out of reach nodes cannot renew either: their grace begins anew afterwards.
      deadSince.clear();
      parts.log.warn({ err: error }, 'reaper round failed');
    }
    await delay(options.everyMs ?? defaultEveryMs, undefined, { signal: stop }).catch(() => undefined);
  }
  // Another process may lead at once, without waiting for this one's time to be over.
  if (leads) await parts.registry.lead('reaper', options.holder, 1).catch(() => undefined);
}

/** One round over the transitions whose deadline has passed. */
export async function reapOverdue(parts: ReaperParts): Promise<void> {
  for (const id of await parts.registry.overdueActors(batch)) {
    await attempt(parts, id, async () => {
      const record = await parts.registry.getActor(id);
      if (record?.deadlineAt === undefined || Date.parse(record.deadlineAt) > Date.now()) return;
      if (record.state === 'deleting') await deleteAgain(parts, record);
      else await giveUp(parts, record, `${record.state} took too long`, 'deadline-exceeded');
    });
  }
}

/** `deleting` stays overdue until it is done, so a note in the registry spaces the attempts out. */
async function deleteAgain(parts: ReaperParts, record: ActorRecord): Promise<void> {
  const note = `reaper:delete:${record.uid}`;
  if ((await parts.registry.remember(note, 'sent', jobLimitsMs.delete + handoverMs)) !== undefined) return;
  try {
    await sendDelete(parts, record);
    countAction(parts, 'delete-again');
  } catch (error) {
    await parts.registry.forget(note);
    throw error;
  }
}

/**
 * A node without a lease may take it again, with all it runs or is about to run, until its boot is declared over: that is
 * decided first, and atomically with the lease being gone. A start that it has in hand is no exception: the VM is there
 * before the registry hears of it, and would go on with the lease.
 */
async function reapDeadNodes(parts: ReaperParts, deadSince: Map<string, number>, graceMs: number): Promise<void> {
  const gone = new Set<string>();
  const over = new Set<string>();
  for (const node of await parts.registry.listNodes()) {
    if (node.leaseMs > 0) {
      deadSince.delete(node.id);
      continue;
    }
    const since = deadSince.get(node.id) ?? performance.now();
    deadSince.set(node.id, since);
    gone.add(node.id);
    if (performance.now() - since < graceMs || !(await parts.registry.declareNodeOver(node.id))) continue;
    over.add(node.id);
    const ids = await parts.registry.actorsOnNode(node.id);
    for (const id of ids.slice(0, batch)) await attempt(parts, id, () => leaveDeadNode(parts, id, node.id));
  }
  if (gone.size > 0) await handOnJobs(parts, { gone, over });
}

async function leaveDeadNode(parts: ReaperParts, id: string, nodeId: string): Promise<void> {
  const record = await parts.registry.getActor(id);
  if (record?.node !== nodeId) return;
  if (record.state === 'deleting') return; // its job is handed on
  await giveUp(parts, record, `its node ${nodeId} is gone`, 'vmm-failed');
}

async function giveUp(
  parts: ReaperParts,
  record: ActorRecord,
  reason: string,
  code: 'deadline-exceeded' | 'vmm-failed',
): Promise<void> {
  const error = serializeError(
    new DormouseError(code, reason, { details: { node: record.node, epoch: record.epoch } }),
  );
  const signal = AbortSignal.timeout(fallBackLimitMs);
  const { store, registry } = parts;
  const result = await fallBack({ store, registry, record, reason, error, signal });
  parts.log.warn({ actorId: record.id, epoch: record.epoch, node: record.node, reason, ...result }, 'actor fell back');
  countAction(parts, 'actor-fell-back');
}

async function reapTemplates(parts: ReaperParts): Promise<void> {
  const limitMs = jobLimitsMs['prepare-template'] + handoverMs;
  let cursor: string | undefined;
  do {
    const page = await parts.registry.listTemplates(batch, cursor);
    for (const record of page.items) {
      if (record.state !== 'preparing' || Date.now() - Date.parse(record.since) < limitMs) continue;
      const error = serializeError(new DormouseError('deadline-exceeded', 'preparing it took too long'));
      const since = new Date().toISOString();
      const ended = await parts.registry.updateTemplate({ ...record, state: 'failed', since, error }, ['preparing']);
      if (ended) countAction(parts, 'template-failed');
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
