/**
 * The node's fence: who may answer at this moment, and which VMs may run. It is told by the lease and tells the watchdog.
 *
 *   open ──freeze──► closed: nobody answers, every VM process is stopped ──lift──► open, but for the activations that
 *                                                                                 ran before: each waits to be readmitted
 *
 * Serving also ends by the clock itself: a worker that was stopped and let go on refuses the first request already.
 */
import type { Activation, ActivationTable } from '../activation/activation.ts';
import { monotonicMs } from '../watchdog/order.ts';
import { leaseShares } from './lease.ts';
import { processesMarked, signalAll, vmMark } from './vm-processes.ts';
import type { Watchdog } from './watchdog.ts';

export interface Fence {
  /** Whether the node may answer at all. */
  serves(): boolean;
  admits(activation: Activation): boolean;
  renewed(atMs: number): Promise<boolean>;
  freeze(): void;
  /** Opens, and lets all processes go on but those of the activations it returns. Nothing runs before the watchdog knows. */
  lift(atMs: number, signal: AbortSignal): Promise<readonly Activation[]>;
  /** Lets an activation's processes go on; it answers after `readmit`. */
  letRun(activation: Activation): void;
  readmit(activation: Activation): void;
}

export interface FenceOptions {
  readonly nodeFolder: string;
  readonly leaseMs: number;
  /** The watchdog ends what has been frozen for so long: somewhat longer than the worker itself waits. */
  readonly holdMs: number;
  readonly activations: Pick<ActivationTable, 'all'>;
  readonly watchdog: Pick<Watchdog, 'order'>;
}

export function createFence({ nodeFolder, leaseMs, holdMs, activations, watchdog }: FenceOptions): Fence {
  let servesUntil = 0;
  let held: ReadonlySet<Activation> = new Set();

  const arm = (atMs: number): Promise<boolean> =>
    watchdog.order(atMs + leaseMs * leaseShares.watchdogFreeze, atMs + leaseMs * leaseShares.watchdogEnd);
  const serves = (): boolean => monotonicMs() < servesUntil;
  return {
    serves,
    admits: (activation) => serves() && !held.has(activation),
    async renewed(atMs) {
      servesUntil = atMs + leaseMs * leaseShares.freeze;
      return !(await arm(atMs));
    },
    freeze() {
      servesUntil = 0;
      signalAll(processesMarked(vmMark(nodeFolder)), 'SIGSTOP');
      // From here on it is the watchdog that keeps them stopped: a start that was under way may bring another one.
      void watchdog.order(monotonicMs(), monotonicMs() + holdMs);
    },
    async lift(atMs, signal) {
      const ran = activations.all();
      held = new Set(ran);
      await arm(atMs);
      if (signal.aborted) return [];
      servesUntil = Math.max(servesUntil, atMs + leaseMs * leaseShares.freeze);
      const folders = ran.map(({ sandbox }) => `${sandbox.folder}/`);
      const others = processesMarked(vmMark(nodeFolder)).filter(
        ({ commandLine }) => !folders.some((folder) => commandLine.includes(folder)),
      );
      signalAll(others, 'SIGCONT');
      return ran;
    },
    letRun: ({ sandbox }) => signalAll(processesMarked(`${sandbox.folder}/`), 'SIGCONT'),
    readmit(activation) {
      held = new Set([...held].filter((other) => other !== activation));
    },
  };
}
