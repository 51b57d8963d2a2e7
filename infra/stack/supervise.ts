/**
 * Keeps one child process running until it is told to stop.
 *
 *   start ──► running ──(dies)──► waiting, longer each time ──► running …
 *                │                      └──(quick failures in a row)──► gave up
 *                └──(stop)──► SIGTERM, then SIGKILL after a limit ──► stopped
 *
 * A child gets its own session, so the terminal's Ctrl-C reaches only us and we choose the order in which things stop;
 * and it gets SIGKILL from the kernel when we die, so that nothing of ours can outlive us.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { ChildLog } from './child-log.ts';

export interface RestartPolicy {
  /** A process that ended sooner than this never really worked. */
  readonly quickMs: number;
  /** That many quick failures in a row are followed by another attempt; one more is not. */
  readonly quickFailuresAllowed: number;
  readonly backOffFirstMs: number;
  readonly backOffLongestMs: number;
}

/** Eight seconds in all: long enough for a port to become free, short enough to wait for the reason. */
const defaultPolicy: RestartPolicy = {
  quickMs: 10_000,
  quickFailuresAllowed: 5,
  backOffFirstMs: 250,
  backOffLongestMs: 5_000,
};

export interface ChildSpec {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface Death {
  readonly name: string;
  /** "exit code 1", "signal SIGKILL", or why it could not be started. */
  readonly how: string;
  readonly tail: readonly string[];
  readonly logFile: string;
  /** Undefined when there will be no further attempt. */
  readonly restartInMs: number | undefined;
}

export interface SupervisedChild {
  readonly name: string;
  /** Undefined while it is not running. */
  readonly pid: number | undefined;
  /** Sends a signal to the process alone; it is restarted if it dies of it. */
  signal(signal: NodeJS.Signals): void;
  /** Asks, waits, kills. `killed` says that the limit passed. A second call joins the first. */
  stop(limitMs: number): Promise<'stopped' | 'killed'>;
  /** Kills the child's whole process group at once and does not restart it. */
  kill9(): Promise<void>;
}

export function supervise(
  spec: ChildSpec,
  log: ChildLog,
  onDeath: (death: Death) => void,
  policy = defaultPolicy,
): SupervisedChild {
  const stopping = new AbortController();
  const current: { pid: number | undefined } = { pid: undefined };
  const ended = keepRunning(spec, log, onDeath, policy, stopping.signal, current);

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    stopping.abort();
    if (current.pid !== undefined) sendSignal(signal === 'SIGKILL' ? -current.pid : current.pid, signal);
    await ended;
  };
  const stop = async (limitMs: number): Promise<'stopped' | 'killed'> => {
    const limit = new AbortController();
    const late = delay(limitMs, 'late' as const, { signal: limit.signal }).catch(() => 'stopped' as const);
    const first = await Promise.race([end('SIGTERM').then(() => 'stopped' as const), late]);
    limit.abort();
    if (first === 'stopped') return 'stopped';
    await end('SIGKILL');
    return 'killed';
  };
  return {
    name: spec.name,
    get pid() {
      return current.pid;
    },
    signal: (signal) => {
      if (current.pid !== undefined) sendSignal(current.pid, signal);
    },
    stop,
    kill9: () => end('SIGKILL'),
  };
}

async function keepRunning(
  spec: ChildSpec,
  log: ChildLog,
  onDeath: (death: Death) => void,
  policy: RestartPolicy,
  stopping: AbortSignal,
  current: { pid: number | undefined },
): Promise<void> {
  let quickFailures = 0;
  const goOn = () => !stopping.aborted;
  while (goOn()) {
    const startedAt = performance.now();
    const how = await runOnce(spec, log, current);
    if (!goOn()) return;
    quickFailures = performance.now() - startedAt < policy.quickMs ? quickFailures + 1 : 0;
    const restartInMs = nextAttemptInMs(quickFailures, policy);
    onDeath({ name: spec.name, how, tail: [...log.tail()], logFile: log.file, restartInMs });
    if (restartInMs === undefined) return;
    await delay(restartInMs, undefined, { signal: stopping }).catch(() => undefined);
  }
}

function nextAttemptInMs(quickFailures: number, policy: RestartPolicy): number | undefined {
  if (quickFailures > policy.quickFailuresAllowed) return undefined;
  return Math.min(policy.backOffFirstMs * 2 ** Math.max(quickFailures - 1, 0), policy.backOffLongestMs);
}

/** Starts the child and returns how it ended. Never throws: a program that is missing is an ending too. */
async function runOnce(spec: ChildSpec, log: ChildLog, current: { pid: number | undefined }): Promise<string> {
  const child = execa('setpriv', ['--pdeathsig', 'KILL', '--', spec.file, ...spec.args], {
    cwd: spec.cwd,
    env: spec.environment,
    extendEnv: false,
    detached: true,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
  });
  log.follow(child.stdout);
  log.follow(child.stderr);
  current.pid = child.pid;
  const result = await child;
  current.pid = undefined;
  if (result.signal !== undefined) return `signal ${result.signal}`;
  return result.exitCode === undefined
    ? (result.originalMessage ?? 'it could not be started')
    : `exit code ${result.exitCode}`;
}

function sendSignal(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    // ESRCH: it ended between our look and the signal, which is what the signal was for.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
