/**
 * No job is lost with its node, and no operation stays open for ever. Of the jobs of a node without a lease:
 *
 *   delete            ─► the same job to a live node: whoever gets it removes the objects
 *   prepare-template  ─► the same job to another node that has room, a bounded number of times, then `failed`
 *   the others        ─► their operation fails; the actor itself falls back (reaper.ts) and is woken anew
 *
 * A job that finds no node now is handed on in a later round. One that its node had not begun is taken back first.
 */
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import { handoverMs, operationLimitMs } from '../../shared/jobs/contracts.ts';
import type { Operation } from '../../shared/registry/records.ts';
import type { ApiParts } from '../parts.ts';
import { finish, jobOf } from './operations.ts';
import { chooseNode, isLive } from './placement.ts';

export type ReaperParts = Pick<ApiParts, 'registry' | 'store' | 'jobs' | 'log' | 'meters'>;

/** Operations per round: a mass failure is worked off in portions. */
const batch = 100;
/** A template that takes three nodes down with it is the cause, not the victim. */
const maxAttempts = 3;

export async function reapOverdueOperations(parts: ReaperParts): Promise<void> {
  for (const operation of await parts.registry.openOperations(batch, true)) {
    const where = operation.node === undefined ? '' : ` on ${operation.node}`;
    const error = new DormouseError('deadline-exceeded', `nobody reported the end of the ${operation.kind}${where}`);
    await attempt(parts, operation.id, () => finish(parts, operation, error));
    countAction(parts, 'operation-ended');
  }
}

export interface SilentNodes {
  /** Without a lease at the moment. */
  readonly gone: ReadonlySet<string>;
  /** Those among them that were declared over, and never come back with what they had in hand. */
  readonly over: ReadonlySet<string>;
}

export async function handOnJobs(parts: ReaperParts, { gone, over }: SilentNodes): Promise<void> {
  for (const operation of await parts.registry.openOperations(batch, false)) {
    const { node } = operation;
    if (node === undefined || !gone.has(node)) continue;
    if (!over.has(node) && !isRepeatable(operation)) continue; // a node that comes back does it still
    await attempt(parts, operation.id, async () => {
      await parts.jobs.withdraw(node, operation.id).catch(() => undefined); // it is begun, or was never there
      if (operation.kind === 'delete') await handOnDelete(parts, operation);
      else if (operation.kind === 'prepare-template') await handOnPreparation(parts, operation);
      else await finish(parts, operation, nodeGone(operation));
    });
  }
}

/** Two nodes may do it at once. */
const isRepeatable = ({ kind }: Operation): boolean => kind === 'delete' || kind === 'prepare-template';

async function handOnDelete(parts: ReaperParts, operation: Operation): Promise<void> {
  const node = (await parts.registry.listNodes()).find(isLive);
  if (node === undefined) return;
  await send(parts, operation, node.id, { actorId: operation.target });
}

async function handOnPreparation(parts: ReaperParts, operation: Operation): Promise<void> {
  const record = await parts.registry.getTemplate(operation.target);
  if (record?.state !== 'preparing') {
    await finish(parts, operation, nodeGone(operation));
    return;
  }
  const since = new Date().toISOString();
  if ((operation.attempts ?? 1) >= maxAttempts) {
    const error = nodeGone(operation);
    await parts.registry.updateTemplate({ ...record, state: 'failed', since, error: serializeError(error) }, [
      'preparing',
    ]);
    await finish(parts, operation, error);
    return;
  }
  const { memoryMiB } = record.spec;
  const choice = chooseNode(await parts.registry.listNodes(), { memoryMiB, runtime: undefined });
  if (choice.node === undefined) return;
  await parts.registry.updateTemplate({ ...record, since }, ['preparing']);
  await send(parts, operation, choice.node.id, { template: record.name, revision: record.revision });
}

async function send(
  parts: ReaperParts,
  operation: Operation,
  node: string,
  subject: { actorId: string } | { template: string; revision: string },
): Promise<void> {
  // Sent before it is noted: if this process dies in between it is sent twice, which does no harm, and never not at all.
  await parts.jobs.send(node, jobOf(operation, subject));
  const deadlineAt = new Date(Date.now() + operationLimitMs(operation.kind) + handoverMs).toISOString();
  const attempts = (operation.attempts ?? 1) + 1;
  await parts.registry.putOperation({ ...operation, state: 'queued', node, attempts, deadlineAt });
  parts.log.warn({ operationId: operation.id, from: operation.node, node, attempts }, 'job handed on');
  countAction(parts, 'job-handed-on');
}

const nodeGone = ({ kind, node, attempts = 1 }: Operation): DormouseError =>
  new DormouseError('vmm-failed', `its node ${node ?? ''} is gone before the ${kind} was done (attempt ${attempts})`);

export function countAction({ meters }: ReaperParts, action: string): void {
  meters.count('dormouse_reaper_actions_total', { action });
}

/** One actor's, or one operation's, trouble must not keep the reaper from the others. */
export async function attempt(parts: ReaperParts, id: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    parts.log.warn({ err: error, id }, 'not reaped'); // the next round tries again
  }
}
