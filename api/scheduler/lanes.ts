/**
 * Lanes take turns: when an api claims actors for their wakes (`startsAtOnce`), in a node's queue (shared/jobs/node-line.ts)
 * and among calls that wait for room (parking.ts). Each is the actors of one template in one namespace; the namespaces take
 * turns first, so that one with many templates gets no more by them.
 */
import { namespaceOf } from '../../shared/actor/namespace.ts';
import type { Lane } from '../../shared/jobs/node-line.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';

/** Whose turn it is: a template that several namespaces share has a lane in each. */
export const laneOf = ({ id, template }: Pick<ActorRecord, 'id' | 'template'>): Lane => ({
  namespace: namespaceOf(id),
  template,
});

/** A start is three round trips: so many keep Redis busy, and one more does not wait long for its turn. */
export const startsAtOnce = 16;
