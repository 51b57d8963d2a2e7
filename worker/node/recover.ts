/** The actors that the registry places on this node although nothing of them runs here any more. */
import { fallBack } from '../../shared/actor/fall-back.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';

export interface Recovery {
  readonly nodeId: string;
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly log: Logger;
}

/** For each actor: a fence entry, then `suspended` at its last generation. */
export async function recoverActors(recovery: Recovery, reason: string, signal: AbortSignal): Promise<void> {
  const { nodeId, registry, store, log } = recovery;
  for (const id of await registry.actorsOnNode(nodeId)) {
    const record = await registry.getActor(id);
    if (record?.node !== nodeId || record.state === 'deleting') continue;
    const result = await fallBack({ store, registry, record, reason, signal });
    log.info({ actorId: id, reason, ...result }, 'actor fell back');
  }
}
