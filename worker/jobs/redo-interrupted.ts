/**
 * Jobs that an earlier worker of this node had begun when it ended. A deletion and a preparation are done again, here and
 * now; the others are over, because the actors they were about have been fenced (node/recover.ts). The queue itself never
 * delivers a begun job again.
 */
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import { operationLimitMs, jobSchema, type Job } from '../../shared/jobs/contracts.ts';
import type { Operation } from '../../shared/registry/records.ts';
import type { NodeContext } from '../node-context.ts';
import type { JobsInHand } from './job-in-hand.ts';

/** More than a node ever has in hand. */
const looked = 1000;
/** A template that ends its worker three times is the cause, not the victim. */
const maxAttempts = 3;

export async function redoInterrupted(
  context: NodeContext,
  inHand: JobsInHand,
  perform: (job: Job) => Promise<void>,
): Promise<void> {
  for (const operation of await context.registry.openOperations(looked, false)) {
    if (operation.node !== context.nodeId || operation.state !== 'running') continue;
    if (inHand.holds(operation.id)) continue; // begun by this worker, meanwhile
    const job = await jobAgain(context, operation);
    const attempts = (operation.attempts ?? 1) + 1;
    if (job === undefined || attempts > maxAttempts) {
      await giveUp(context, operation);
      continue;
    }
    await context.registry.putOperation({ ...operation, attempts });
    perform(job).catch((error: unknown) => {
      context.log.warn({ err: error, operationId: operation.id }, 'a job that was done again failed');
    });
  }
}

async function jobAgain(context: NodeContext, { id, kind, target }: Operation): Promise<Job | undefined> {
  const now = Date.now();
  const common = {
    operationId: id,
    requestedAt: new Date(now).toISOString(),
    deadlineAt: new Date(now + operationLimitMs(kind)).toISOString(),
  };
  if (kind === 'delete') return jobSchema.parse({ ...common, kind, actorId: target });
  if (kind !== 'prepare-template') return undefined;
  const template = await context.registry.getTemplate(target);
  if (template?.state !== 'preparing') return undefined;
  return jobSchema.parse({ ...common, kind, template: target, revision: template.revision });
}

async function giveUp({ registry, nodeId }: NodeContext, operation: Operation): Promise<void> {
  const { kind, target, attempts = 1 } = operation;
  const error = serializeError(
    new DormouseError('vmm-failed', `the worker of ${nodeId} ended before the ${kind} was done (attempt ${attempts})`),
  );
  const now = new Date().toISOString();
  await registry.putOperation({ ...operation, state: 'failed', error, finishedAt: now });
  const template = kind === 'prepare-template' ? await registry.getTemplate(target) : undefined;
  if (template === undefined) return;
  await registry.updateTemplate({ ...template, state: 'failed', since: now, error }, ['preparing']);
}
