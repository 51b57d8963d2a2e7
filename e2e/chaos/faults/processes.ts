/** Faults of processes: killed at once, or stopped for a while. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Fault, FaultContext } from './fault.ts';

export interface Target {
  readonly name: string;
  readonly pid: number;
}

export type FindTargets = (context: FaultContext) => Promise<readonly Target[]>;

export const killOne = (find: FindTargets): Fault => ({
  async strike(context) {
    const target = await chooseTarget(find, context);
    if (target === undefined || !send(target.pid, 'SIGKILL')) return undefined;
    return target.name;
  },
});

/** Stops one for a time that may be far shorter or longer than a lease. */
export const stopOne = (find: FindTargets, stopMs: (context: FaultContext) => number = anyStopMs): Fault => ({
  async strike(context) {
    const target = await chooseTarget(find, context);
    const forMs = stopMs(context);
    if (target === undefined || !send(target.pid, 'SIGSTOP')) return undefined;
    await delay(forMs);
    send(target.pid, 'SIGCONT');
    return `${target.name} for ${Math.round(forMs)} ms`;
  },
});

const anyStopMs = ({ random, leaseMs }: FaultContext): number =>
  random.chance(0.5) ? random.between(50, leaseMs / 2) : random.between(leaseMs / 2, leaseMs * 3);

/** A process of the stack by its name. */
export const named =
  (...names: string[]): FindTargets =>
  ({ world }) =>
    Promise.resolve(
      names.flatMap((name) => {
        const pid = world.pidOf(name);
        return pid === undefined ? [] : [{ name, pid }];
      }),
    );

export const workers: FindTargets = (context) => named(...context.world.platform.stack.nodes)(context);

/** Processes of the platform's nodes by their command line; the pattern's group is what they are called. */
export const ofNodes =
  (pattern: RegExp): FindTargets =>
  async ({ world }) =>
    (await processesBelow(world.platform.home)).flatMap(({ name, pid }) => {
      const what = pattern.exec(name)?.[1];
      return what === undefined ? [] : [{ name: `${what} ${pid}`, pid }];
    });

export async function processesBelow(folder: string): Promise<Target[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''); // it may have ended
      return commandLine.includes(`${folder}/nodes/`) ? [{ name: commandLine.replaceAll('\0', ' '), pid }] : [];
    }),
  );
  return found.flat().filter(({ pid }) => pid !== process.pid);
}

export async function chooseTarget(find: FindTargets, context: FaultContext): Promise<Target | undefined> {
  const [first, ...others] = (await find(context)).toSorted((a, b) => a.pid - b.pid);
  return first === undefined ? undefined : context.random.pick([first, ...others]);
}

/** False when it had ended before the signal. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

export const pause = (random: Random, lowMs: number, highMs: number): Promise<void> =>
  delay(random.between(lowMs, highMs));
