/** Reads `Server-Timing` (W3C): `name;dur=12.3;desc="words", name2;dur=4`, where quoted words may contain the separators. */

export interface ServerTiming {
  readonly name: string;
  readonly durationMs: number | undefined;
  readonly description: string | undefined;
}

/** A quoted string (with its escapes), or a run without separators. */
const piece = String.raw`"(?:[^"\\]|\\.)*"|[^",;]`;
const entryPattern = new RegExp(`(?:${piece}|;)+`, 'g');
const fieldPattern = new RegExp(`(?:${piece})+`, 'g');

/** What cannot be read is left out, as the specification wants it: a header must never fail a measurement. */
export function parseServerTiming(header: string | null): ServerTiming[] {
  return (header?.match(entryPattern) ?? []).map(parseEntry).filter((entry) => entry.name !== '');
}

function parseEntry(entry: string): ServerTiming {
  const [name = '', ...fields] = entry.match(fieldPattern) ?? [];
  const parameters = new Map<string, string>();
  for (const field of fields) {
    const [, key = '', value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/s.exec(field) ?? [];
    // The first of several with one name counts.
    if (!parameters.has(key.toLowerCase())) parameters.set(key.toLowerCase(), unquote(value));
  }
  const duration = parameters.get('dur');
  const milliseconds = duration === undefined || duration === '' ? NaN : Number(duration);
  return {
    name: name.trim(),
    durationMs: Number.isFinite(milliseconds) ? milliseconds : undefined,
    description: parameters.get('desc'),
  };
}

const unquote = (value: string): string =>
  value.startsWith('"') && value.endsWith('"') && value.length > 1
    ? value.slice(1, -1).replace(/\\(.)/gs, '$1')
    : value;

/** Milliseconds by phase; of several phases with one name the last counts: the platform's come after the actor's own. */
export function phasesOf(header: string | null): Record<string, number> {
  const phases = new Map<string, number>();
  for (const { name, durationMs } of parseServerTiming(header)) {
    if (durationMs !== undefined) phases.set(name, durationMs);
  }
  return Object.fromEntries(phases);
}
