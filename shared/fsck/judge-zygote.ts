/** Which objects below `zygotes/<key>/` are alive: the record and the two parts that it names. */
import { readStagedZygote, zygoteObject } from '../assets/ship-zygote.ts';
import { zygoteParts, zygoteRecordName, type ZygoteRecord } from '../assets/zygote-folder.ts';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import type { Group, Judgement } from './finding.ts';

export async function judgeZygote(store: ObjectStore, group: Group, options: CallOptions): Promise<Judgement> {
  const key = group.prefix.split('/')[1] ?? '';
  const by = zygoteObject(key, zygoteRecordName);
  const record = await readRecord(store, key, options);
  if (record === 'damaged') {
    return {
      named: [],
      damage: [{ key: by, verdict: 'corrupt', reason: 'this description of a zygote cannot be read' }],
      orphan: () => ({ reason: 'the description of its zygote is damaged', removable: false }),
    };
  }
  if (record === undefined)
    return { named: [], damage: [], orphan: () => ({ reason: 'its zygote was never finished', removable: true }) };
  const parts = zygoteParts.map((name) => ({ ...record[name], key: zygoteObject(key, record[name].sha256), by }));
  return {
    named: [{ key: by, by }, ...parts],
    damage: [],
    orphan: () => ({ reason: 'another zygote of the same machine was first', removable: true }),
  };
}

async function readRecord(
  store: ObjectStore,
  key: string,
  options: CallOptions,
): Promise<ZygoteRecord | 'damaged' | undefined> {
  try {
    return await readStagedZygote(store, key, options);
  } catch (error) {
    const code = error instanceof DormouseError ? error.code : undefined;
    if (code === 'asset-invalid' || code === 'store-object-too-large') return 'damaged';
    throw error;
  }
}
