/** For tests: a counter program as a plain process on a free port, with a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { freePort } from '../servers/free-port.ts';

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-templates-'));
  t.after(() => removeTree(folder, tmpdir()));
  return folder;
}

export interface RunningCounter {
  readonly address: string;
  readonly folder: string;
  json(route: string, init?: RequestInit): Promise<Record<string, unknown>>;
  kill(): Promise<void>;
  /** Resolves with its exit code when it has ended by itself. */
  readonly exitCode: Promise<number | null>;
}

export interface CounterProcess {
  readonly command: readonly [string, ...string[]];
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startCounter(t: TestContext, process: CounterProcess): Promise<RunningCounter> {
  const folder = process.folder ?? (await counterFolder(t));
  const port = await freePort();
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...process.command], {
    env: { COUNTER_PORT: String(port), COUNTER_DIR: folder, ...process.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exitCode = once(child, 'exit').then(() => child.exitCode);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exitCode;
  };
  t.after(kill);
  await Promise.race([listening(createInterface(child.stdout)), listening(createInterface(child.stderr))]);
  const address = `http://127.0.0.1:${port}`;
  const json = async (route: string, init?: RequestInit): Promise<Record<string, unknown>> =>
    (await (await fetch(address + route, init)).json()) as Record<string, unknown>;
  return { address, folder, json, kill, exitCode };
}

/** With the lower files in it, as in the image. */
async function counterFolder(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await cp(path.join(import.meta.dirname, 'counter/lower'), path.join(folder, 'lower'), { recursive: true });
  return folder;
}

/** Never answers for a stream that ends without the line: the other one has it, or the test's limit ends the wait. */
async function listening(lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) if (line.includes('listening')) return;
  return new Promise(() => undefined);
}
