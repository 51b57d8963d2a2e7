/**
 * Reading, comparing and compressing memory in a thread, so that a suspend of a large actor holds up nobody's requests.
 * This file is both sides: imported it talks to the thread, as the thread's program it answers.
 *
 * One thread that stays, for all of the process: it is warm when an actor stands still and waits for it, several tasks
 * take turns in it, and it does not hold the process. A task that its caller gives up ends there too.
 * Failures: those of memory-part.ts; `internal` when the thread ended.
 */
import { isMainThread, MessageChannel, parentPort, Worker, workerData, type MessagePort } from 'node:worker_threads';
import {
  DormouseError,
  deserializeError,
  serializeError,
  type SerializedError,
} from '../../../../shared/errors/dormouse-error.ts';
import { settleAll } from '../../../../shared/process/settle-all.ts';
import {
  applyMemoryPart,
  applyMemoryParts,
  writeMemoryPart,
  type MemoryPart,
  type MemorySource,
} from './memory-part.ts';
import type { PageSet } from './page-set.ts';
import { receivePieces, sendPieces } from './piece-channel.ts';
import { beginWatch, touchedPages, type TouchWatch } from './touched-pages.ts';
import { warmUp } from './warm-up.ts';

/** What the thread does, by name. */
const tasks = {
  write: writeMemoryPart,
  apply: applyMemoryParts,
  applyStream: (port: MessagePort, memoryPath: string, memorySizeBytes: number, signal: AbortSignal) =>
    applyMemoryPart(receivePieces(port, signal), memoryPath, memorySizeBytes, signal),
  touched: (watch: TouchWatch) => touchedPages(watch),
  watch: (watch: TouchWatch) => beginWatch(watch),
  warmUp,
};
type TaskName = keyof typeof tasks;

export const writePartInThread = (source: MemorySource, target: string, signal: AbortSignal): Promise<MemoryPart> =>
  ask('write', [source, target], signal);

export const applyPartsInThread = (
  parts: readonly string[],
  memoryPath: string,
  memorySizeBytes: number,
  signal: AbortSignal,
): Promise<PageSet> => ask('apply', [parts, memoryPath, memorySizeBytes], signal);

/** The same with a part that is still arriving. It is all there, and what its source says it is, when this returns. */
export async function applyStreamInThread(
  source: AsyncIterable<Uint8Array>,
  memoryPath: string,
  memorySizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const sending = sendPieces(source, port1);
  try {
    await settleAll([
      sending,
      ask('applyStream', [port2, memoryPath, memorySizeBytes], signal, [port2]).finally(() => port1.close()),
    ]);
  } finally {
    port1.close();
  }
}

export const touchedInThread = (watch: TouchWatch, signal: AbortSignal): Promise<PageSet | undefined> =>
  ask('touched', [watch], signal);

export const watchInThread = (watch: TouchWatch, signal: AbortSignal): Promise<void> => ask('watch', [watch], signal);

type Request = { readonly id: number; readonly task: TaskName; readonly args: unknown[] } | { readonly cancel: number };

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly failure?: SerializedError;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Tells our thread from those of other modules that import this file. */
const role = 'dormouse-memory';

const waiting = new Map<number, Waiting>();
let thread: Worker | undefined;
let lastId = 0;

/** Starts the thread and has it warmed up, so that the first actors to be suspended do not wait for it. */
export function warmMemoryThread(scratchFolder: string): void {
  if (thread === undefined) void ask('warmUp', [scratchFolder], new AbortController().signal).catch(() => undefined);
}

function startThread(): Worker {
  const started = new Worker(new URL(import.meta.url), { workerData: role });
  started.unref();
  started.on('message', ({ id, result, failure }: Answer) => {
    if (failure === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(deserializeError(failure));
  });
  started.on('error', () => undefined); // its end follows
  started.once('exit', () => {
    thread = undefined;
    const ended = new DormouseError('internal', 'the thread that reads memory ended');
    for (const task of waiting.values()) task.reject(ended);
  });
  return started;
}

async function ask<Result>(
  task: TaskName,
  args: unknown[],
  signal: AbortSignal,
  handedOver: readonly MessagePort[] = [],
): Promise<Result> {
  signal.throwIfAborted();
  const asked = (thread ??= startThread());
  const id = ++lastId;
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const abort = (): void => asked.postMessage({ cancel: id } satisfies Request);
  signal.addEventListener('abort', abort, { once: true });
  waiting.set(id, { resolve, reject });
  if (waiting.size === 1) asked.ref();
  try {
    asked.postMessage({ id, task, args } satisfies Request, handedOver);
    return (await promise) as Result;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
    waiting.delete(id);
    if (waiting.size === 0) asked.unref();
  }
}

const underWay = new Map<number, AbortController>();

async function perform(id: number, task: TaskName, args: unknown[]): Promise<Answer> {
  const stop = new AbortController();
  underWay.set(id, stop);
  try {
    const work = tasks[task] as (...given: unknown[]) => unknown;
    return { id, result: await work(...args, stop.signal) };
  } catch (error) {
    return { id, failure: serializeError(error) };
  } finally {
    underWay.delete(id);
  }
}

if (!isMainThread && workerData === role) {
  parentPort?.on('message', (request: Request) => {
    if ('cancel' in request) underWay.get(request.cancel)?.abort();
    else void perform(request.id, request.task, request.args).then((answer) => parentPort?.postMessage(answer));
  });
}
