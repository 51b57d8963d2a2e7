/** After a restart: the actors that the registry still places on this node ran in a worker that is gone. */
import { fallBack } from '../../shared/actor/fall-back.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';

/** For each actor: a fence entry, then `suspended` at its last generation. */
export async function recoverActors(
  nodeId: string,
  registry: Registry,
  store: ObjectStore,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (const id of await registry.actorsOnNode(nodeId)) {
    const record = await registry.getActor(id);
    if (record?.node !== nodeId || record.state === 'deleting') continue;
    const result = await fallBack({ store, registry, record, reason: `node ${nodeId} restarted`, signal });
    log.info({ actorId: id, ...result }, 'actor of an earlier worker fell back');
  }
}
