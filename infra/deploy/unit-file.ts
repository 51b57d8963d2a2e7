/** Reads what our systemd units and environment files say, for the tests that hold them to the programs they start. */

/** Each directive's values in order: a name may stand several times. */
export type Directives = ReadonlyMap<string, readonly string[]>;

/** Sections are left out: no directive of ours has the same name in two of them. */
export function readUnit(text: string): Directives {
  const directives = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const match = /^([A-Za-z]+)=(.*)$/.exec(line);
    if (match === null) continue;
    const [, name = '', value = ''] = match;
    directives.set(name, [...(directives.get(name) ?? []), value]);
  }
  return directives;
}

/** `NAME=value` lines. */
export function readEnvironmentFile(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line);
    return match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const];
  });
  return Object.fromEntries(pairs);
}
