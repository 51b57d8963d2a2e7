/**
 * Takes turns between lanes, each the actors of one template in one namespace: when an api claims actors for their wakes (`starts`), and in a node's queue. There a wake's number is how many wakes of its template this api has under way
 * on that node, itself included. Nodes take the lowest number first, so a thousand wakes of one template stand behind the
 * first wake of another. Several apis count each for itself, which keeps the order between templates.
 *
 * A wake counts until its operation is over. Such a hint may be lost, so none counts for longer than its job may take.
 */
import { namespaceOf } from '../../shared/actor/namespace.ts';
import { jobLimitsMs } from '../../shared/jobs/contracts.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { createFairGate, type FairGate } from './fair-gate.ts';

/** Whose turn it is: a template that several namespaces share has a lane in each. */
export const laneOf = ({ id, template }: Pick<ActorRecord, 'id' | 'template'>): string =>
  `${namespaceOf(id)} ${template}`;

export interface Turns extends Disposable {
  /** By lane: choosing a node, claiming, and sending the job. */
  readonly starts: FairGate;
  /** The number of one more wake. */
  take(nodeId: string, lane: string, operationId: string): number;
}

/** A start is three round trips: so many keep Redis busy, and one more does not wait long for its turn. */
const startsAtOnce = 16;

interface Taken {
  readonly line: Set<string>;
  readonly until: number;
}

export function createTurns(registry: Pick<Registry, 'watch'>): Turns {
  const lines = new Map<string, Set<string>>();
  const taken = new Map<string, Taken>(); // in the order of `until`
  const giveBack = (operationId: string): void => {
    taken.get(operationId)?.line.delete(operationId);
    taken.delete(operationId);
  };
  const forgetLost = (now: number): void => {
    for (const [operationId, { until }] of taken) {
      if (until > now) break;
      giveBack(operationId);
    }
    for (const [key, line] of lines) if (line.size === 0) lines.delete(key);
  };
  const feed = registry.watch((change) => {
    if (change.kind === 'operation' && (change.state === 'done' || change.state === 'failed')) giveBack(change.id);
  });
  return {
    starts: createFairGate(startsAtOnce),
    take(nodeId, lane, operationId) {
      const now = performance.now();
      forgetLost(now);
      const key = `${nodeId} ${lane}`;
      const line = lines.get(key) ?? new Set();
      lines.set(key, line.add(operationId));
      taken.set(operationId, { line, until: now + jobLimitsMs.resume });
      return line.size;
    },
    [Symbol.dispose]: () => feed[Symbol.dispose](),
  };
}
