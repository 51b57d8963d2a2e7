/**
 * A QEMU process as a Vmm. It dies with its worker (parent death signal), and its end fails every call under way.
 */
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';
import type { Vmm, VmmOptions } from '../vmm.ts';
import {
  agentPort,
  agentSocketName,
  consoleLogName,
  wakeSocketName,
  qemuArguments,
  type Machine,
} from './command-line.ts';
import { openQmp, type Qmp } from './qmp.ts';

/** Enough for a kernel panic or a container's last words. */
const consoleTailBytes = 8192;
/** QEMU ends within a few ms of a kill; longer means that the kernel holds it. */
const killLimitMs = 5000;
/** Its standard error is a few lines; a runaway one must not fill our memory. */
const maxErrorBytes = 64 * 1024;
/** Between two looks at whether the agent's connection has ended: that takes a few ms. */
const leftLookMs = 1;

/** It sends an event whenever the state of the incoming device state changes. */
const tellsItsState = { capability: 'events', state: true };
/**
 * As QEMU comes, a guest that was moved is made to tell its neighbours, five times within its first second, beside the first
 * requests. In its namespace there is nobody to be told: the one neighbour asks for its address, or has it.
 */
const tellsNoNeighbours = { 'announce-rounds': 0 };

export async function launchQemu(
  program: readonly string[],
  machine: Machine,
  options: VmmOptions,
  signal: AbortSignal,
): Promise<Vmm> {
  const inNamespace = options.network === undefined ? [] : ['nsenter', `--net=${options.network.namespacePath}`, '--'];
  const prefix = ['--pdeathsig', 'KILL', '--', ...inNamespace, ...program];
  const child = execa('setpriv', [...prefix, ...qemuArguments(machine, options)], {
    stdin: 'pipe',
    buffer: { stdout: false, stderr: true },
    maxBuffer: { stderr: maxErrorBytes },
    reject: false,
    cleanup: false,
  });
  const { qmp, greeted } = openQmp(child.stdout, child.stdin);
  const consolePath = path.join(options.folder, consoleLogName);
  const exited = child.then(async (result) => {
    const words = [result.stderr, await tailOf(consolePath)].filter((text) => text !== '').join('\n');
    const reason =
      words === '' ? `it ended with ${String(result.exitCode ?? result.signal ?? result.originalMessage)}` : words;
    qmp.close(reason);
    return reason;
  });
  const vmm = qemuVmm(qmp, child.pid ?? 0, options.folder, exited, () => child.kill('SIGKILL'));
  try {
    await Promise.race([greeted, rejectOn(signal, 'start')]);
    await qmp.execute('qmp_capabilities', undefined, signal);
    if (options.mode === 'restore') {
      await qmp.execute('migrate-set-capabilities', { capabilities: [tellsItsState] }, signal);
      await qmp.execute('migrate-set-parameters', tellsNoNeighbours, signal);
    }
    return vmm;
  } catch (cause) {
    await vmm[Symbol.asyncDispose]();
    throw cause;
  }
}

function qemuVmm(qmp: Qmp, pid: number, folder: string, exited: Promise<string>, kill: () => void): Vmm {
  return {
    pid,
    agentSocket: path.join(folder, agentSocketName),
    wakeSocket: path.join(folder, wakeSocketName),
    agentLeft: (limitMs, signal) => agentLeft(qmp, limitMs, signal),
    exited,
    consoleTail: () => tailOf(path.join(folder, consoleLogName)),
    async pause(signal) {
      await qmp.execute('stop', undefined, signal);
    },
    async run(signal) {
      await qmp.execute('cont', undefined, signal);
    },
    async saveDevices(target, signal) {
      // The command saves the state of every device and no memory; despite its name it has nothing to do with Xen.
      await qmp.execute('xen-save-devices-state', { filename: target, live: true }, signal);
      await stat(target);
    },
    loadDevices: (source, signal) => loadDevices(qmp, source, signal),
    async [Symbol.asyncDispose]() {
      kill();
      await Promise.race([exited, rejectOn(AbortSignal.timeout(killLimitMs), 'quit')]);
    },
  };
}

/** QEMU has no event for it. It takes note of the end, and queues the guest's word of it, in one go. */
async function agentLeft(qmp: Qmp, limitMs: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + limitMs;
  do {
    const found = (await qmp.execute('query-chardev', undefined, signal)) as { label: string; filename: string }[];
    if (found.some(({ label, filename }) => label === agentPort && filename.startsWith('disconnected:'))) return;
    await delay(leftLookMs, undefined, { signal });
  } while (performance.now() < deadline);
}

/** QEMU tells when it is done: asking again and again would take it from its work. */
async function loadDevices(qmp: Qmp, source: string, signal: AbortSignal): Promise<void> {
  const isOver = (data: unknown): boolean => ['completed', 'failed'].includes(statusOf(data));
  const stop = new AbortController(); // for when the command itself is refused
  const over = qmp.event('MIGRATION', isOver, AbortSignal.any([signal, stop.signal]));
  over.catch(() => undefined);
  const ended = await qmp
    .execute('migrate-incoming', { uri: `file:${source}` }, signal)
    .then(() => over)
    .finally(() => {
      stop.abort();
    });
  if (statusOf(ended) === 'completed') return;
  const { 'error-desc': words } = (await qmp.execute('query-migrate', undefined, signal)) as { 'error-desc'?: string };
  throw new DormouseError('vmm-failed', `the device state cannot be loaded: ${words ?? 'no reason given'}`);
}

const statusOf = (data: unknown): string => (data as { status?: string } | undefined)?.status ?? '';

async function tailOf(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'r');
    const { size } = await handle.stat();
    const start = Math.max(0, size - consoleTailBytes);
    const buffer = Buffer.alloc(size - start);
    await handle.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8').replaceAll('\r', '').trim();
  } catch {
    return ''; // no console yet
  }
}

function rejectOn(signal: AbortSignal, command: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => {
      reject(
        new DormouseError('deadline-exceeded', `the virtual machine monitor did not ${command} in time`, {
          cause: signal.reason,
        }),
      );
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
