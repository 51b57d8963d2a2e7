/** Tables of text: columns as wide as their widest cell, two spaces apart, no trailing blanks. */

export type Column<Item> = readonly [head: string, cell: (item: Item) => unknown];

export function formatTable<Item>(
  items: readonly Item[],
  columns: readonly Column<Item>[],
  options: { readonly head?: boolean } = {},
): string {
  const rows = items.map((item) => columns.map(([, cell]) => cellText(cell(item))));
  if (options.head === true) rows.unshift(columns.map(([head]) => head));
  const widths = columns.map((_, index) => Math.max(0, ...rows.map((row) => row[index]?.length ?? 0)));
  const render = (row: readonly string[]): string =>
    row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ');
  return rows.map((row) => render(row).trimEnd()).join('\n');
}

// eslint-disable-next-line no-control-regex -- control characters are what this looks for
const controlCharacters = /[\x00-\x1f\x7f-\x9f]+/g;

/** Texts come from guests and other users: nothing in them may move the cursor or colour the screen. */
export const withoutControls = (text: string): string => text.replace(controlCharacters, ' ');

function cellText(value: unknown): string {
  if (value === undefined || value === null) return '-';
  const text = typeof value === 'string' ? value : typeof value === 'object' ? pairs(value) : JSON.stringify(value);
  return withoutControls(text);
}

/** A flat object as `name=value name=value`; anything deeper as JSON. */
function pairs(value: object): string {
  if (Array.isArray(value)) return JSON.stringify(value);
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length === 0) return '-';
  return entries
    .map(([name, inner]) => `${name}=${typeof inner === 'string' ? inner : JSON.stringify(inner)}`)
    .join(' ');
}

/** How long ago, in the largest unit that says something. */
export function age(instant: string | undefined, now = Date.now()): string | undefined {
  if (instant === undefined) return undefined;
  const seconds = Math.max(0, Math.floor((now - Date.parse(instant)) / 1000));
  if (Number.isNaN(seconds)) return instant;
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
