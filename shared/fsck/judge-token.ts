/** Whether a token's record can be read. It stands for itself: nothing names it, and it names nothing. */
import { parseStoredToken } from '../access/stored-tokens.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import type { Group, Judgement } from './finding.ts';

export async function judgeToken(store: ObjectStore, group: Group, options: CallOptions): Promise<Judgement> {
  const key = group.prefix;
  const orphan = () => ({ reason: '', removable: false });
  const bytes = await store.get(key, options);
  try {
    parseStoredToken(key, bytes);
    return { named: [{ key, by: key }], damage: [], orphan };
  } catch {
    return { named: [], damage: [{ key, verdict: 'corrupt', reason: 'this token record cannot be read' }], orphan };
  }
}
