/** Which objects of a template's revision are alive: its descriptor and the golden that the descriptor names. */
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import { readDescriptor } from '../template/stored-descriptor.ts';
import { objectKeys } from '../snapshot/object-keys.ts';
import type { Finding, Group, Judgement } from './finding.ts';

/** `isUsed`: an actor was made from this revision, so without its descriptor nothing of it is garbage. */
export async function judgeTemplate(
  store: ObjectStore,
  group: Group,
  isUsed: boolean,
  options: CallOptions,
): Promise<Judgement> {
  const [, name = '', revision = ''] = group.prefix.split('/');
  const key = objectKeys.template(name, revision);
  try {
    const descriptor = await readDescriptor(store, name, revision, options);
    if (descriptor === undefined) return { named: [], damage: [], orphan: () => withoutDescriptor(isUsed) };
    const parts = Object.values(descriptor.golden.parts);
    const own = parts.filter((part) => part.key.startsWith(group.prefix));
    return {
      named: [{ key, by: key }, ...own.map((part) => ({ ...part, by: key }))],
      damage: own.length === parts.length ? [] : [corrupt(key, 'its golden lies outside its own folder')],
      orphan: () => ({ reason: 'the descriptor names another golden', removable: true }),
    };
  } catch (error) {
    if (!(error instanceof DormouseError)) throw error;
    if (error.code !== 'snapshot-corrupt' && error.code !== 'snapshot-unsupported') throw error;
    const orphan = () => ({ reason: 'its descriptor is damaged', removable: false });
    return { named: [], damage: [corrupt(key, 'this template descriptor cannot be read')], orphan };
  }
}

const withoutDescriptor = (isUsed: boolean) =>
  isUsed
    ? { reason: 'its descriptor is missing', removable: false }
    : { reason: 'its template was never finished, or was deleted', removable: true };

const corrupt = (key: string, reason: string): Finding => ({ key, verdict: 'corrupt', reason });
