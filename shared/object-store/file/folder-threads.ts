/**
 * Writes in the folder of a store, in threads: a small object is some twenty system calls, and the way from the event loop
 * into a thread and back costs more than each of them. This file is both sides: imported it talks to the threads, as a
 * thread's program it answers.
 *
 * The threads are of the whole process, start when there is work for them, end when there has been none for a while, and
 * do not hold the process. What a caller has given up goes on, as a request does that is on its way over a network.
 * Failures: errno as the system said it, and those of the body; `store-unavailable` when a thread ended.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { deserializeError, DormouseError, serializeError, type SerializedError } from '../../errors/dormouse-error.ts';
import { makeRoot } from './durable-folder.ts';
import { errnoOf } from './errors.ts';
import { removeObject, writeObject, type ObjectWrite } from './folder-work.ts';

const tasks = { makeRoot, removeObject, writeObject };
type TaskName = keyof typeof tasks;

export const makeRootInThread = (root: string): Promise<void> => ask('makeRoot', [root]);

export const removeInThread = (root: string, file: string): Promise<void> => ask('removeObject', [root, file]);

export function writeInThread(write: ObjectWrite): Promise<'created' | 'exists'> {
  const { body } = write;
  if (body?.kind !== 'bytes') return ask('writeObject', [write]);
  // A Buffer may be a part of a larger one, and all of that would go along.
  const bytes = new Uint8Array(body.bytes);
  return ask('writeObject', [{ ...write, body: { kind: 'bytes', bytes } }], [bytes.buffer]);
}

/** They mostly wait for the disk, so two do more than one; each takes some thirty megabytes. */
const maxThreads = 2;
const idleLimitMs = 30_000;

interface Request {
  readonly id: number;
  readonly task: TaskName;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly failure?: SerializedError;
  /** Of the system; the caller says what it means (errors.ts). */
  readonly errno?: { readonly message: string; readonly code: string };
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  ending?: NodeJS.Timeout;
}

/** Tells our threads from those of other modules that import this file. */
const role = 'dormouse-folder';

const threads: Thread[] = [];
let lastId = 0;

function startThread(): Thread {
  const worker = new Worker(new URL(import.meta.url), { workerData: role });
  const thread: Thread = { worker, waiting: new Map() };
  threads.push(thread);
  worker.unref();
  worker.on('message', (answer: Answer) => settle(thread, answer));
  worker.on('error', () => undefined); // its end follows
  worker.once('exit', () => {
    leave(thread);
    const ended = new DormouseError('store-unavailable', 'the thread that writes to the store ended');
    for (const { reject } of thread.waiting.values()) reject(ended);
  });
  return thread;
}

function leave(thread: Thread): void {
  clearTimeout(thread.ending);
  const place = threads.indexOf(thread);
  if (place >= 0) threads.splice(place, 1);
}

function rest(thread: Thread): void {
  thread.worker.unref();
  const end = (): void => {
    leave(thread);
    void thread.worker.terminate();
  };
  thread.ending = setTimeout(end, idleLimitMs).unref();
}

function settle(thread: Thread, { id, result, failure, errno }: Answer): void {
  const { waiting } = thread;
  const asked = waiting.get(id);
  waiting.delete(id);
  if (waiting.size === 0) rest(thread);
  if (failure !== undefined) asked?.reject(deserializeError(failure));
  else if (errno !== undefined) asked?.reject(Object.assign(new Error(errno.message), { code: errno.code }));
  else asked?.resolve(result);
}

/** The one with least to do; another one, while there may be more, if none is free. */
function chooseThread(): Thread {
  const [least] = threads.toSorted((a, b) => a.waiting.size - b.waiting.size);
  if (least === undefined || (least.waiting.size > 0 && threads.length < maxThreads)) return startThread();
  return least;
}

function ask<Result>(task: TaskName, args: readonly unknown[], moved: ArrayBuffer[] = []): Promise<Result> {
  const thread = chooseThread();
  const { worker, waiting } = thread;
  clearTimeout(thread.ending);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const id = ++lastId;
  if (waiting.size === 0) worker.ref();
  waiting.set(id, { resolve, reject });
  worker.postMessage({ id, task, args } satisfies Request, moved);
  return promise as Promise<Result>;
}

function perform({ id, task, args }: Request): Answer {
  try {
    return { id, result: (tasks[task] as (...given: readonly unknown[]) => unknown)(...args) };
  } catch (error) {
    const code = error instanceof DormouseError ? undefined : errnoOf(error);
    if (code === undefined) return { id, failure: serializeError(error) };
    return { id, errno: { message: error instanceof Error ? error.message : code, code } };
  }
}

if (!isMainThread && workerData === role) {
  parentPort?.on('message', (request: Request) => parentPort?.postMessage(perform(request)));
}
