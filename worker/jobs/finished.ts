/**
 * What a job leaves. One whose last step moves the actor tells the registry in the same step that its operation is done.
 * One that puts an actor to sleep leaves: it is done as soon as the registry knows, and nobody who waits for that
 * waits for the VM's end, which is the job's last work all the same.
 */
import type { BegunJob } from '../../shared/registry/registry.ts';
import type { Operation, Phases } from '../../shared/registry/records.ts';

/** A job of an activation, as the registry had it when it was begun. */
export interface Begun extends BegunJob {
  readonly operation: Operation;
}

export interface Finished {
  readonly phases: Phases;
  /** The registry knows already that the operation is over. */
  readonly isTold?: boolean;
  /** Whoever gets it awaits it. */
  readonly ending?: Promise<void>;
}

export const doneWith = (operation: Operation, phases: Phases): Operation => ({
  ...{ ...operation, state: 'done', phases: { ...phases } },
  finishedAt: new Date().toISOString(),
});

/** A failure of what goes on is told to whoever awaits it, and to nobody before. */
export function goingOn(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}
