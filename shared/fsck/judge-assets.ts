/** Which objects below `assets/` are alive: the files of every set that is whole, and what says which set is current. */
import { objectKey } from '../assets/ship-asset-set.ts';
import { parseAssetSet, setFileName, type AssetSetContents } from '../assets/asset-set.ts';
import { DormouseError } from '../errors/dormouse-error.ts';
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts';
import type { Group, Judgement } from './finding.ts';

export async function judgeAssetSet(store: ObjectStore, group: Group, options: CallOptions): Promise<Judgement> {
  const digest = group.prefix.split('/')[1] ?? '';
  const key = objectKey(digest, setFileName);
  if (!group.objects.some((object) => object.key === key)) {
    return { named: [], damage: [], orphan: () => ({ reason: 'its asset set was never finished', removable: true }) };
  }
  const contents = await readSet(store, key, digest, options);
  if (contents === undefined) {
    return {
      named: [],
      damage: [{ key, verdict: 'corrupt', reason: 'this description of an asset set cannot be read' }],
      orphan: () => ({ reason: 'the description of its set is damaged', removable: false }),
    };
  }
  const files = contents.files.map(({ path, sizeBytes, sha256 }) => ({
    ...{ key: objectKey(digest, path), by: key },
    ...{ sizeBytes, sha256 },
  }));
  return {
    named: [{ key, by: key }, ...files],
    damage: [],
    orphan: () => ({ reason: 'its asset set does not name it', removable: true }),
  };
}

async function readSet(
  store: ObjectStore,
  key: string,
  digest: string,
  options: CallOptions,
): Promise<AssetSetContents | undefined> {
  const json = await store.get(key, options);
  try {
    const contents = parseAssetSet(json.toString('utf8'), key);
    return contents.digest === digest ? contents : undefined;
  } catch (error) {
    if (error instanceof DormouseError && error.code === 'asset-invalid') return undefined;
    throw error;
  }
}

export async function judgeCurrentSet(store: ObjectStore, group: Group, options: CallOptions): Promise<Judgement> {
  const key = group.prefix;
  const digest = (await store.get(key, options)).toString('utf8').trim();
  const orphan = () => ({ reason: '', removable: false });
  if (/^[0-9a-f]{64}$/.test(digest)) {
    return {
      named: [
        { key, by: key },
        { key: objectKey(digest, setFileName), by: key },
      ],
      damage: [],
      orphan,
    };
  }
  return { named: [], damage: [{ key, verdict: 'corrupt', reason: 'it names no asset set' }], orphan };
}
