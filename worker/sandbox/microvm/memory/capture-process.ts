/**
 * Writes the memory part of a large actor in a process of its own, which the scheduler puts behind everything else: the
 * comparison and zstd keep processors busy for seconds, and guests, event loops and wakes must not notice. Its priority
 * covers what a thread's would not: zstd in the thread pool, garbage collection, and the writing out of what was written.
 * Its program is capture-program.ts.
 *
 *   starts ─► works behind all others ─► (it takes long: the machine is busy) with the others ─► done, or killed with its signal
 *
 * The actor stands still meanwhile, so that patience has an end. The process dies with its worker.
 * Failures: those of memory-part.ts; `internal` when the process ended.
 */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { DormouseError, deserializeError, type SerializedError } from '../../../../shared/errors/dormouse-error.ts';
import { giveProcess, withOthers } from './capture-priority.ts';
import type { MemoryPart, MemorySource } from './memory-part.ts';

const program = fileURLToPath(new URL('capture-program.ts', import.meta.url));

/** With a processor to spare, a gigabyte takes less. */
const patienceMs = 10_000;

export interface CaptureRequest {
  readonly source: MemorySource;
  readonly target: string;
}

export type CaptureAnswer = { readonly part: MemoryPart } | { readonly failure: SerializedError };

export async function writePartInProcess(
  source: MemorySource,
  target: string,
  signal: AbortSignal,
): Promise<MemoryPart> {
  signal.throwIfAborted();
  const child = execa('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, program], {
    ipc: true,
    // A session of its own: where the kernel schedules session by session, a priority counts within one only.
    detached: true,
    cancelSignal: signal,
    forceKillAfterDelay: false,
    killSignal: 'SIGKILL', // it holds nothing that its caller would not remove
    stdin: 'ignore',
    stdout: 'ignore',
    reject: false,
  });
  const patience = setTimeout(() => void giveProcess(child.pid ?? 0, withOthers), patienceMs);
  try {
    const request: CaptureRequest = { source, target };
    const [message] = await Promise.all([child.getOneMessage(), child.sendMessage(request as never)]);
    const answer = message as unknown as CaptureAnswer;
    if ('part' in answer) return answer.part;
    throw deserializeError(answer.failure);
  } catch (cause) {
    const { stderr } = await child;
    signal.throwIfAborted();
    if (cause instanceof DormouseError) throw cause;
    throw new DormouseError('internal', `the process that reads memory ended: ${stderr}`, { cause });
  } finally {
    clearTimeout(patience);
  }
}
