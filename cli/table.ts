/**
 * Tables of text: columns as wide as their widest cell, two spaces apart, no trailing blanks. Where they do not fit, the
 * widest columns but the first (which names the thing) are cut with an ellipsis.
 */

export type Column<Item> = readonly [head: string, cell: (item: Item) => unknown];

export interface TableOptions {
  readonly head?: boolean;
  /** Of the terminal; without it nothing is cut. */
  readonly width?: number | undefined;
  /** Colours a finished cell of a column. */
  readonly paint?: (head: string, cell: string) => string;
}

const gap = '  ';
/** Less says nothing any more. */
const narrowest = 6;

export function formatTable<Item>(
  items: readonly Item[],
  columns: readonly Column<Item>[],
  { head = false, width, paint = (_head, cell) => cell }: TableOptions = {},
): string {
  const rows = items.map((item) => columns.map(([, cell]) => cellText(cell(item))));
  if (head) rows.unshift(columns.map(([name]) => name));
  const widths = fit(
    columns.map((_, index) => Math.max(0, ...rows.map((row) => row[index]?.length ?? 0))),
    width,
  );
  return rows
    .map((row, line) => {
      const last = row.length - 1;
      const cells = row.map((text, index) => {
        const cut = shortened(text, widths[index] ?? 0);
        const shown = head && line === 0 ? cut : paint(columns[index]?.[0] ?? '', cut);
        return index === last ? shown : shown + ' '.repeat((widths[index] ?? 0) - cut.length);
      });
      return cells.join(gap).trimEnd();
    })
    .join('\n');
}

function fit(natural: readonly number[], limit: number | undefined): number[] {
  const widths = [...natural];
  if (limit === undefined) return widths;
  for (let over = sum(widths) + gap.length * (widths.length - 1) - limit; over > 0; over--) {
    const [, ...rest] = widths;
    const widest = Math.max(0, ...rest);
    if (widest <= narrowest) break;
    widths[widths.indexOf(widest, 1)] = widest - 1;
  }
  return widths;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const shortened = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`;

// eslint-disable-next-line no-control-regex -- control characters are what this looks for
const controlCharacters = /[\x00-\x1f\x7f-\x9f]+/g;

/** Texts come from guests and other users: nothing in them may move the cursor or colour the screen. */
export const withoutControls = (text: string): string => text.replace(controlCharacters, ' ');

export function cellText(value: unknown): string {
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
