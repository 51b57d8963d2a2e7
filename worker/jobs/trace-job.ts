/** One job as a part of the trace that caused it; an idle suspend begins one. Its log lines carry the trace's id. */
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Job } from '../../shared/jobs/contracts.ts';
import { traced, type Tracing } from '../../shared/telemetry/tracing.ts';
import type { NodeContext } from '../node-context.ts';

export function traceJob(
  { nodeId }: Pick<NodeContext, 'nodeId'>,
  tracing: Pick<Tracing, 'recorder'>,
  job: Job,
  work: () => Promise<void>,
): Promise<void> {
  const subject =
    job.kind === 'prepare-template' ? { 'dormouse.template': job.template } : { 'dormouse.actor': job.actorId };
  const epoch = 'epoch' in job ? { 'dormouse.epoch': job.epoch } : {};
  const attributes = { 'dormouse.node': nodeId, 'dormouse.operation': job.operationId, ...subject, ...epoch };
  const { kind: name, traceparent, operationId: requestId } = job;
  return traced(tracing, { name, traceparent, requestId, kind: 'consumer', attributes }, toDormouseError, work);
}
