/**
 * Offers a frozen activation back to a registry that has forgotten it, or that came back older than it is: the actor's
 * record is put back as its log tells it, then the activation takes it again with its own epoch.
 *
 *   read the log ─► over there (deleted, fenced, a generation of this epoch or a later one): refused
 *                ─► restoreActor ─► readopt ─► taken back: read the log once more, for it may have ended meanwhile
 *                                           ─► refused: the registry has given out a later epoch
 *
 * It does not wait for the rebuild, which may take long and is about others. Failures are those of the store and the
 * registry, and `registry-unavailable` while the registry has no life yet; then the actor stays frozen and it is asked again.
 */
import { compareEpochs } from '../../shared/actor/epoch.ts';
import { headUpdate } from '../../shared/actor/fall-back.ts';
import { lastEpochOf, recordFromLog } from '../../shared/actor/restored-record.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { readHead, type LogHead } from '../../shared/snapshot/actor-log.ts';
import type { Activation } from '../activation/activation.ts';
import type { NodeContext } from '../node-context.ts';

type Answer = { readonly taken: true } | { readonly taken: false; readonly because: string };

export async function offerBack(
  { registry, store, nodeId: node }: Pick<NodeContext, 'registry' | 'store' | 'nodeId'>,
  { identity, epoch, template }: Activation,
  signal: AbortSignal,
): Promise<Answer> {
  const { id, uid } = identity;
  const head = await readHead(store, id, { signal });
  const over = endIn(head, identity, epoch);
  if (over !== undefined || head.created === undefined) return { taken: false, because: over ?? 'its log is gone' };
  const record = recordFromLog(head.created, head, template.spec.memoryMiB, 'restored by its node');
  const lastEpoch = lastEpochOf(head);
  await registry.restoreActor({ ...record, ...(lastEpoch !== undefined && { epoch: lastEpoch }) });
  const answer = await registry.readopt({ id, uid, epoch, node }, headUpdate(record, head));
  if (answer === 'refused') return { taken: false, because: 'the registry gave the actor to a later activation' };
  if (answer === 'absent') throw new DormouseError('registry-unavailable', `the registry cannot take ${id} back yet`);
  const ended = endIn(await readHead(store, id, { signal }), identity, epoch);
  return ended === undefined ? { taken: true } : { taken: false, because: ended };
}

/** In words why the log calls the activation over; undefined while it does not. */
function endIn(head: LogHead, { uid }: { readonly uid: string }, epoch: string): string | undefined {
  if (head.created?.uid !== uid) return 'its log says that it was deleted';
  const last = lastEpochOf(head);
  if (last === undefined || compareEpochs(last, epoch) < 0) return undefined;
  return `its log tells of epoch ${last}`;
}
