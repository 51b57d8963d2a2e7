/** How a scenario talks to whoever started it, and hears that it is to end: what it measures then is given up. */
export interface Run {
  say(text: string): void;
  readonly signal: AbortSignal;
}

/** Whether the time is over. Throws when the run is to end. */
export function elapsed(ms: number, { signal }: Run): () => boolean {
  const end = performance.now() + ms;
  return () => {
    signal.throwIfAborted();
    return performance.now() >= end;
  };
}
