/**
 * Lets callers share runs of one piece of work per key, for work that covers all that was done before it began: a sync of a
 * folder, for example. Whoever comes while a run is under way may have come too late for it, and gets the next one together
 * with all the others who came meanwhile. So there are at most two runs ahead of anybody, however many callers there are.
 */
interface Run {
  readonly done: Promise<void>;
  next?: Promise<void>;
}

export function sharedRuns(work: (key: string) => Promise<void>): (key: string) => Promise<void> {
  const underWay = new Map<string, Run>();
  const begin = (key: string): Promise<void> => {
    const run: Run = {
      done: work(key).finally(() => {
        if (underWay.get(key) === run) underWay.delete(key);
      }),
    };
    underWay.set(key, run);
    return run.done;
  };
  return (key) => {
    const run = underWay.get(key);
    if (run === undefined) return begin(key);
    const again = (): Promise<void> => begin(key);
    return (run.next ??= run.done.then(again, again)); // a failure is that of those who shared the run
  };
}
