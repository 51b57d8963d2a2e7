/**
 * The part of one call that gets its sleeping actor woken: it claims room for it, or parks until there is some. Whether
 * this call or another one wins the claim, it then waits for the actor's next change like everybody else.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import { inScope, type TraceScope } from '../../shared/telemetry/trace-scope.ts';
import type { ApiParts } from '../parts.ts';
import { behindOthers, type Parking, type Place } from '../scheduler/parking.ts';
import type { TemplateCache } from '../../shared/registry/template-cache.ts';
import { startWake } from '../scheduler/wake.ts';

interface WakeParts extends ApiParts {
  readonly templates: TemplateCache;
  readonly parking: Parking;
}

interface WakingCall {
  readonly id: string;
  readonly trace: () => TraceScope;
}

export interface Waker extends Disposable {
  /** Throws what a wake fails with; for want of room it parks instead. */
  wake(record: ActorRecord): Promise<void>;
  /** The actor is on its way: this call waits for room no longer. */
  leave(): void;
  /** Why it was parked, while it is. */
  readonly refusal: DormouseError | undefined;
}

export const isAsleep = (record: ActorRecord | undefined): record is ActorRecord =>
  record?.state === 'suspended' || record?.state === 'paused';

export function wakerOf(parts: WakeParts, call: WakingCall): Waker {
  let place: Place | undefined;
  const leave = (): void => {
    place?.[Symbol.dispose]();
    place = undefined;
  };
  const attempt = (asOf: number): Promise<void> =>
    inScope(call.trace(), async () => {
      const record = await parts.registry.getActor(call.id);
      if (isAsleep(record)) await wakeOnce(parts, call, record, asOf);
    });
  return {
    get refusal() {
      return place?.refusal;
    },
    leave,
    async wake(record) {
      if (place?.failure !== undefined) throw place.failure;
      if (place?.isWaiting === true) return;
      leave();
      if (parts.parking.isBusy) {
        place = parts.parking.enter(record, behindOthers(), attempt);
        return;
      }
      try {
        await wakeOnce(parts, call, record);
      } catch (error) {
        if (!(error instanceof DormouseError) || error.code !== 'no-capacity') throw error;
        place = parts.parking.enter(record, error, attempt);
      }
    },
    [Symbol.dispose]: leave,
  };
}

async function wakeOnce(parts: WakeParts, call: WakingCall, record: ActorRecord, asOf?: number): Promise<void> {
  const { traceparent } = call.trace();
  const template = await parts.templates.of(record);
  const result = await startWake(parts, { record, template, reason: 'a call', traceparent, asOf });
  if (result.outcome === 'claimed') parts.log.debug({ actorId: record.id, epoch: result.epoch }, 'waking an actor');
}
