/** Warnings on the console, each kind once per window: a worker that retries ten times a second must not bury the URL. */
import type { LogWarning } from './child-log.ts';

const windowMs = 30_000;

export function summariseWarnings(print: (line: string) => void, now: () => number = () => performance.now()) {
  const seen = new Map<string, { until: number; held: number }>();
  return ({ from, level, message }: LogWarning): void => {
    const key = `${from} ${level} ${message}`;
    const known = seen.get(key);
    if (known !== undefined && now() < known.until) {
      known.held += 1;
      return;
    }
    const repeated = known !== undefined && known.held > 0 ? ` (and ${known.held} times since it was last shown)` : '';
    print(`${from}: ${level}: ${message}${repeated}`);
    seen.set(key, { until: now() + windowMs, held: 0 });
  };
}
