/** Cuts a listing into groups. Keys of one folder come together, in every store. */
import type { ListedObject } from '../object-store/object-store.ts';
import type { Group } from './finding.ts';

/** How many segments of a key name its group; a key with no more than these stands alone. */
const depths: Readonly<Record<string, number>> = { actors: 2, templates: 3, assets: 2, zygotes: 2 };

export function groupPrefix(key: string): string {
  const segments = key.split('/');
  const depth = depths[segments[0] ?? ''] ?? segments.length;
  return segments.length > depth ? `${segments.slice(0, depth).join('/')}/` : key;
}

export async function* groupsOf(objects: AsyncIterable<ListedObject>): AsyncGenerator<Group> {
  let prefix: string | undefined;
  let members: ListedObject[] = [];
  for await (const object of objects) {
    const next = groupPrefix(object.key);
    if (prefix !== undefined && next !== prefix) {
      yield { prefix, objects: members };
      members = [];
    }
    prefix = next;
    members.push(object);
  }
  if (prefix !== undefined) yield { prefix, objects: members };
}

/** The object that another one belongs to, lives and dies with: `<key>.keys/<id>` holds what opens `<key>`. */
export const ownerOf = (key: string): string => /^(.+)\.keys\/[^/]+$/.exec(key)?.[1] ?? key;
