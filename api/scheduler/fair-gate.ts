/**
 * Lets so many pieces of work run at once; who has to wait waits in the line of its group, and the lines take turns. So a
 * thousand of one group are one ahead of the first of another, not a thousand.
 */
export interface FairGate {
  run<Result>(group: string, work: () => Promise<Result>): Promise<Result>;
}

export function createFairGate(limit: number): FairGate {
  const lines = new Map<string, (() => void)[]>(); // the line whose turn it is comes first
  let running = 0;
  const next = (): void => {
    const [first] = lines;
    if (first === undefined || running >= limit) return;
    const [group, line] = first;
    const enter = line.shift();
    lines.delete(group);
    if (line.length > 0) lines.set(group, line);
    running++;
    enter?.();
  };
  const turn = (group: string): Promise<void> =>
    new Promise((resolve) => {
      const line = lines.get(group) ?? [];
      line.push(resolve);
      lines.set(group, line);
      next();
    });
  return {
    async run(group, work) {
      await turn(group);
      try {
        return await work();
      } finally {
        running--;
        next();
      }
    },
  };
}
