/**
 * Lets so many pieces of work run at once. Who has to wait waits in its lane; namespaces take turns, and in each of them its
 * lanes. So a thousand of one are one ahead of the first of another, not a thousand.
 */
import type { Lane } from '../../shared/jobs/node-line.ts';

export interface FairGate {
  run<Result>(lane: Lane, work: () => Promise<Result>): Promise<Result>;
}

type Enter = () => void;
/** Whose turn it is comes first. */
type Lines = Map<string, Enter[]>;

export function createFairGate(limit: number): FairGate {
  const waiting = new Map<string, Lines>(); // by namespace; whose turn it is comes first
  let running = 0;
  const next = (): void => {
    const [first] = waiting;
    if (first === undefined || running >= limit) return;
    const [namespace, lines] = first;
    const enter = takeFirst(lines);
    waiting.delete(namespace);
    if (lines.size > 0) waiting.set(namespace, lines);
    running++;
    enter?.();
  };
  const turn = ({ namespace, template }: Lane): Promise<void> =>
    new Promise((resolve) => {
      const lines = waiting.get(namespace) ?? new Map<string, Enter[]>();
      const line = lines.get(template) ?? [];
      line.push(resolve);
      waiting.set(namespace, lines.set(template, line));
      next();
    });
  return {
    async run(lane, work) {
      await turn(lane);
      try {
        return await work();
      } finally {
        running--;
        next();
      }
    },
  };
}

/** Of the first line, which then is the last. */
function takeFirst(lines: Lines): Enter | undefined {
  const [first] = lines;
  if (first === undefined) return undefined;
  const [template, line] = first;
  const enter = line.shift();
  lines.delete(template);
  if (line.length > 0) lines.set(template, line);
  return enter;
}
