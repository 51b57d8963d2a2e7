/** Laps of one piece of work, in milliseconds: their sum is the time since the start. */
export interface Stopwatch {
  readonly lap: (name: string) => void;
  readonly laps: Readonly<Record<string, number>>;
  totalMs(): number;
}

export function stopwatch(): Stopwatch {
  const startedAt = performance.now();
  let last = startedAt;
  const laps: Record<string, number> = {};
  return {
    laps,
    lap(name) {
      const now = performance.now();
      laps[name] = now - last;
      last = now;
    },
    totalMs: () => last - startedAt,
  };
}
