/**
 * What a job that puts an actor to sleep leaves: it is done as soon as the registry knows, and nobody who waits for that
 * waits for the VM's end, which is the job's last work all the same.
 */
import type { Phases } from '../../shared/registry/records.ts';

export interface Finished {
  readonly phases: Phases;
  /** Whoever gets it awaits it. */
  readonly ending?: Promise<void>;
}

/** A failure of what goes on is told to whoever awaits it, and to nobody before. */
export function goingOn(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}
