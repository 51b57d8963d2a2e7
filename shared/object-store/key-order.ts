/**
 * Puts a listing into key order that comes in folder order: SeaweedFS, and whatever else keeps objects in folders, may
 * list a folder where its bare name would sort, so `a/x` comes before `a-b`, whose key is the smaller one.
 *
 * What may still be overtaken is held back: all that begins with the first name below the prefix, until a name comes that
 * sorts after it and its slash. For a folder of files that is one key at a time, for a folder of folders one of them.
 */
import type { ObjectInfo } from './object-store.ts';

export async function* inKeyOrder<Item extends ObjectInfo>(
  listing: AsyncIterable<Item>,
  prefix: string,
): AsyncGenerator<Item> {
  let held: Item[] = [];
  let first = '';
  for await (const object of listing) {
    const name = nameBelow(prefix, object.key);
    if (held.length > 0 && name > `${first}/`) {
      yield* held.sort(byKey);
      held = [];
    }
    if (held.length === 0) first = name;
    held.push(object);
  }
  yield* held.sort(byKey);
}

function nameBelow(prefix: string, key: string): string {
  const end = key.indexOf('/', prefix.length);
  return key.slice(prefix.length, end < 0 ? undefined : end);
}

const byKey = (a: ObjectInfo, b: ObjectInfo): number => (a.key < b.key ? -1 : 1);
