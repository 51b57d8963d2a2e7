/** Runs a program in an actor and gathers what it writes, up to a bound: the exec that needs no terminal. */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { errorIn } from '../../shared/node-service/contract.ts';
import type { ExecReply, ExecStart } from '../../shared/proto/gen/agent.ts';
import type { SessionCall } from '../http/call-of.ts';
import { openSession, type GuestParts } from './open-session.ts';

/** Of each output. More is read and dropped, so that the program still ends. */
const keptOutputBytes = 1024 * 1024;
/** What one message carries to a guest. */
export const inputChunkBytes = 32 * 1024;

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Either output was longer than what is shown of it. */
  readonly truncated: boolean;
}

/** The time counts from when the actor is awake. */
export async function runProgram(
  parts: GuestParts,
  call: SessionCall,
  start: ExecStart,
  input: Buffer,
  timeoutMs: number,
): Promise<ProgramResult> {
  const stream = await openSession(parts, call, (client, metadata) => client.exec(metadata));
  const limit = AbortSignal.timeout(timeoutMs);
  const stop = (): void => stream.cancel();
  limit.addEventListener('abort', stop);
  try {
    stream.write({ start });
    for (let at = 0; at < input.length; at += inputChunkBytes) {
      stream.write({ input: input.subarray(at, at + inputChunkBytes) });
    }
    stream.write({ inputEnded: true });
    return await gather(stream);
  } catch (cause) {
    if (!limit.aborted) throw errorIn(cause);
    throw new DormouseError('exec-timeout', `the program had not ended after ${timeoutMs} ms`, { cause });
  } finally {
    limit.removeEventListener('abort', stop);
    stream.end();
  }
}

async function gather(stream: AsyncIterable<unknown>): Promise<ProgramResult> {
  const stdout = boundedText();
  const stderr = boundedText();
  let exitCode: number | undefined;
  for await (const reply of stream as AsyncIterable<ExecReply>) {
    if (reply.output !== undefined) stdout.add(reply.output);
    if (reply.errorOutput !== undefined) stderr.add(reply.errorOutput);
    exitCode = reply.exitCode ?? exitCode;
  }
  if (exitCode === undefined) throw new DormouseError('internal', 'the guest did not say how the program ended');
  const truncated = stdout.truncated || stderr.truncated;
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), truncated };
}

function boundedText() {
  const chunks: Buffer[] = [];
  let roomBytes = keptOutputBytes;
  return {
    add(chunk: Buffer): void {
      if (roomBytes > 0) chunks.push(chunk.subarray(0, roomBytes));
      roomBytes -= chunk.length;
    },
    get truncated() {
      return roomBytes < 0;
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}
