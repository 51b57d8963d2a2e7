/** The column of a list that says whose a thing is: there when that is not the same for all of them. */
import type { Column } from '../table.ts';

interface Owned {
  readonly namespace: string;
}

export function namespaceColumn<Item extends Owned>(items: readonly Item[]): readonly Column<Item>[] {
  const namespaces = new Set(items.map(({ namespace }) => namespace));
  return namespaces.size > 1 ? [['NAMESPACE', ({ namespace }) => namespace]] : [];
}
