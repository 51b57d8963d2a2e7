/**
 * One real server as a child process on 127.0.0.1: started, waited for, stopped, and killed by the kernel when this
 * process dies, however it dies. All that it prints goes to `<dir>/<name>.log`.
 *
 * Failure paths, each a DormouseError that names the log file and ends with its last lines: the program is not there
 * (`precondition-missing`), a fixed port is taken or the program ended early (`precondition-missing`, with its words),
 * it did not get ready in time (`deadline-exceeded`).
 */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { freePort, listensOn } from './free-port.ts';

export interface LocalServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly logPath: string;
  /** Asks the server to end, and kills it when it does not. Returns when it is gone; may be called again. */
  stop(): Promise<void>;
}

export interface LocalServerSpec {
  readonly name: string;
  /** Folder of the log; made if missing. */
  readonly dir: string;
  readonly program: string;
  readonly arguments: (port: number) => readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Without one, a free port. */
  readonly port?: number;
  /** Asked, once the server listens, until it says yes. */
  readonly isReady?: (port: number) => Promise<boolean>;
  readonly readyTimeoutMs?: number;
}

/** Generous: a loaded two-core machine that also replays an append-only file. A healthy start takes far less. */
const defaultReadyTimeoutMs = 30_000;
/** Another program may take a free port first; five losses in a row are something else. */
const portAttempts = 5;
/** A server that has not ended by then hangs. */
const stopTimeoutMs = 10_000;
const pollIntervalMs = 20;
const logTailLines = 15;

export async function startLocalServer(spec: LocalServerSpec): Promise<LocalServer> {
  await mkdir(spec.dir, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOn(spec, spec.port ?? (await freePort()));
    } catch (error) {
      const lostTheRace = spec.port === undefined && /address already in use/i.test(String(error));
      if (!lostTheRace || attempt === portAttempts) throw error;
    }
  }
}

async function startOn(spec: LocalServerSpec, port: number): Promise<LocalServer> {
  const logPath = path.join(spec.dir, `${spec.name}.log`);
  const child = spawnLogged(spec, port, logPath);
  // Collected here so that an early end is never an unhandled rejection; `reject: false` makes it a value.
  const ended = child.then((result) => result.shortMessage ?? 'it ended');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    await waitUntilReady(spec, port, child, ended, logPath);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pid: child.pid ?? 0, logPath, stop, [Symbol.asyncDispose]: stop };
}

/** Never return one from an async function: it is a promise of the end of the process. */
type Child = ReturnType<typeof spawnLogged>;

function spawnLogged(spec: LocalServerSpec, port: number, logPath: string) {
  // setpriv makes the kernel kill the server when its parent dies, then becomes the server: the pid stays.
  return execa('setpriv', ['--pdeathsig', 'KILL', '--', spec.program, ...spec.arguments(port)], {
    stdin: 'ignore',
    stdout: { file: logPath },
    stderr: { file: logPath },
    buffer: false,
    env: { ...spec.environment },
    forceKillAfterDelay: stopTimeoutMs,
    reject: false,
  });
}

async function waitUntilReady(
  spec: LocalServerSpec,
  port: number,
  child: Child,
  ended: Promise<string>,
  logPath: string,
): Promise<void> {
  const timeoutMs = spec.readyTimeoutMs ?? defaultReadyTimeoutMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  let end: string | undefined;
  void ended.then((words) => (end = words));
  while (!(await answers(spec, port, child.pid))) {
    const facts = { details: { log: logPath, port } };
    if (end !== undefined) {
      const words = `${spec.name} did not start on port ${port}: ${end}\n${await tail(logPath)}\n(log: ${logPath})`;
      throw new DormouseError('precondition-missing', words, facts);
    }
    if (deadline.aborted) {
      const words = `${spec.name} was not ready within ${timeoutMs} ms\n${await tail(logPath)}\n(log: ${logPath})`;
      throw new DormouseError('deadline-exceeded', words, facts);
    }
    await delay(pollIntervalMs);
  }
}

async function answers(spec: LocalServerSpec, port: number, pid: number | undefined): Promise<boolean> {
  if (pid === undefined || !(await listensOn(pid, port))) return false;
  return spec.isReady === undefined || (await spec.isReady(port).catch(() => false));
}

async function tail(logPath: string): Promise<string> {
  const text = await readFile(logPath, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-logTailLines).join('\n');
}
