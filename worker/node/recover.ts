/** The actors that the registry places on this node although nothing of them runs here any more. */
import { fallBack } from '../../shared/actor/fall-back.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';

export interface Recovery {
  readonly nodeId: string;
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly log: Logger;
}

/**
 * Who the registry places here. Asked for before a starting worker takes its lease: from then on actors are placed on it
 * anew, and those are its own to start.
 */
export async function placedHere({ nodeId, registry }: Pick<Recovery, 'nodeId' | 'registry'>): Promise<ActorRecord[]> {
  const records = await Promise.all((await registry.actorsOnNode(nodeId)).map((id) => registry.getActor(id)));
  return records.filter((record) => record?.node === nodeId && record.state !== 'deleting') as ActorRecord[];
}

/** For each actor that is still in the activation it was found in: a fence entry, then `suspended` at its last generation. */
export async function recoverActors(
  recovery: Recovery,
  found: readonly ActorRecord[],
  reason: string,
  signal: AbortSignal,
): Promise<void> {
  const { nodeId, registry, store, log } = recovery;
  for (const { id, epoch } of found) {
    const record = await registry.getActor(id);
    if (record?.node !== nodeId || record.epoch !== epoch || record.state === 'deleting') continue;
    const result = await fallBack({ store, registry, record, reason, signal });
    log.info({ actorId: id, reason, ...result }, 'actor fell back');
  }
}
