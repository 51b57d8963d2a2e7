/**
 * Walking and hashing a tree in a thread of its own, so that a large image never stops the worker's event loop.
 * This file is both sides: imported it starts the thread, as the thread's program it does the work. Aborting ends the
 * thread. Failure: whatever reading the tree threw, as `internal` with that as its cause.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { checkTree, recordTree, type RecordedTree, type TreeCheck } from './tree-record.ts';

interface TreeTask {
  readonly task: 'record' | 'check';
  readonly root: string;
  readonly recordFile: string;
}

const isTreeTask = (value: unknown): value is TreeTask =>
  typeof value === 'object' && value !== null && 'task' in value && 'recordFile' in value;

export const recordTreeInThread = (root: string, recordFile: string, signal: AbortSignal): Promise<RecordedTree> =>
  runInThread({ task: 'record', root, recordFile }, signal) as Promise<RecordedTree>;

export const checkTreeInThread = (root: string, recordFile: string, signal: AbortSignal): Promise<TreeCheck> =>
  runInThread({ task: 'check', root, recordFile }, signal) as Promise<TreeCheck>;

async function runInThread(task: TreeTask, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted();
  const thread = new Worker(new URL(import.meta.url), { workerData: task });
  try {
    const [answer] = (await once(thread, 'message', { signal })) as unknown[];
    return answer;
  } catch (cause) {
    signal.throwIfAborted();
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new DormouseError('internal', `cannot read the image tree ${task.root}: ${words}`, { cause });
  } finally {
    await thread.terminate();
  }
}

if (!isMainThread && parentPort && isTreeTask(workerData)) {
  const { task, root, recordFile } = workerData;
  parentPort.postMessage(task === 'record' ? recordTree(root, recordFile) : checkTree(root, recordFile));
}
