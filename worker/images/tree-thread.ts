/**
 * Walking and hashing trees in threads, so that a large image never stops the worker's event loop. This file is both
 * sides: imported it starts threads, as a thread's program it answers tasks.
 *
 * Recording a new tree may take long: it has a thread of its own, which an abort ends. Checks come with every wake and
 * take milliseconds: they share one thread that stays, keeps what it has read of records, and does not hold the process.
 * Failure: whatever reading the tree threw, as `internal` with the words and the tree.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { createSingleFlight } from './single-flight.ts';
import { checkTree, recordTree, type RecordedTree, type TreeCheck } from './tree-record.ts';

interface TreeTask {
  readonly id: number;
  readonly task: 'record' | 'check';
  readonly root: string;
  readonly recordFile: string;
}

interface TreeAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly failure?: string;
}

/** Tells our threads from those of other modules that import this file. */
const role = 'dormouse-tree';

const startThread = (): Worker => new Worker(new URL(import.meta.url), { workerData: role });

export async function recordTreeInThread(root: string, recordFile: string, signal: AbortSignal): Promise<RecordedTree> {
  signal.throwIfAborted();
  const thread = startThread();
  try {
    return (await ask(thread, { id: 0, task: 'record', root, recordFile }, signal)) as RecordedTree;
  } finally {
    await thread.terminate();
  }
}

export interface TreeChecker extends AsyncDisposable {
  check(root: string, recordFile: string, signal: AbortSignal): Promise<TreeCheck>;
}

export function createTreeChecker(): TreeChecker {
  let thread: Worker | undefined;
  let lastId = 0;
  let underWay = 0;
  const checks = createSingleFlight<TreeCheck>();

  const running = (): Worker => {
    if (thread) return thread;
    const started = startThread();
    started.setMaxListeners(0); // a few for each check under way
    started.on('error', () => undefined); // its end follows, which fails what is under way
    started.once('exit', () => (thread = thread === started ? undefined : thread));
    return (thread = started);
  };

  const checkInThread = async (root: string, recordFile: string, signal: AbortSignal): Promise<TreeCheck> => {
    const asked = running();
    underWay++;
    asked.ref();
    try {
      return (await ask(asked, { id: ++lastId, task: 'check', root, recordFile }, signal)) as TreeCheck;
    } finally {
      if (--underWay === 0) asked.unref();
    }
  };

  running().unref(); // so that the first wake does not wait for it to start
  return {
    // Those who come while a check of the same tree is under way share it: of a burst, most do.
    check: async (root, recordFile, signal) => {
      const key = JSON.stringify([root, recordFile]);
      return await checks.run(key, signal, (limit) => checkInThread(root, recordFile, limit));
    },
    [Symbol.asyncDispose]: async () => {
      await thread?.terminate();
    },
  };
}

async function ask(thread: Worker, task: TreeTask, signal: AbortSignal): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<TreeAnswer>();
  const onMessage = (answer: TreeAnswer): void => (answer.id === task.id ? resolve(answer) : undefined);
  const onExit = (): void => resolve({ id: task.id, failure: 'the thread ended' });
  const onAbort = (): void => reject(signal.reason as Error);
  thread.on('message', onMessage).on('exit', onExit);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    thread.postMessage(task);
    const { result, failure } = await promise;
    if (failure === undefined) return result;
    throw new DormouseError('internal', `cannot read the image tree ${task.root}: ${failure}`);
  } finally {
    thread.off('message', onMessage).off('exit', onExit);
    signal.removeEventListener('abort', onAbort);
  }
}

function perform({ id, task, root, recordFile }: TreeTask): TreeAnswer {
  try {
    return { id, result: task === 'record' ? recordTree(root, recordFile) : checkTree(root, recordFile) };
  } catch (error) {
    return { id, failure: error instanceof Error ? error.message : String(error) };
  }
}

if (!isMainThread && workerData === role) {
  parentPort?.on('message', (task: TreeTask) => parentPort?.postMessage(perform(task)));
}
