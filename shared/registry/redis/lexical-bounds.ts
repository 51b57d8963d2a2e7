/** Where a page of an index in the order of names begins and ends, as BYLEX wants it. */

/** A cursor comes from a caller: one from outside of the stretch must not lead out of it. */
export function boundsOf([first, end]: readonly [string, string], cursor: string | undefined): [string, string] {
  const start = cursor === undefined || cursor < first ? `[${first}` : `(${cursor}`;
  return [start, `(${end}`];
}
