/** QEMU's machine protocol over the process's standard streams, as little of it as the raw harness needs. */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export type Command = (name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<unknown>;

interface Answer {
  readonly QMP?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly id?: number;
}

/** Resolves when QEMU takes commands. `ended` is its end with its last words, which fails whatever still waits. */
export async function openQmp(
  output: Readable,
  input: Writable,
  ended: Promise<string>,
  signal: AbortSignal,
): Promise<Command> {
  const waiting = new Map<number, (answer: Answer) => void>();
  const greeted = Promise.withResolvers<undefined>();
  createInterface({ input: output }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    if (answer.QMP !== undefined) greeted.resolve(undefined);
    else if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
  });
  input.on('error', () => undefined); // QEMU is gone: `ended` says why
  const over = ended.then((words) => Promise.reject(failed(`QEMU ended: ${words}`)));
  over.catch(() => undefined); // the usual end; only a command under way cares
  let lastId = 0;

  const command: Command = async (name, args, limit) => {
    const id = ++lastId;
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    input.write(`${JSON.stringify({ execute: name, id, arguments: args })}\n`);
    const answer = await unlessAborted(limit, answered, over).finally(() => waiting.delete(id));
    if (answer.error !== undefined) throw failed(`${name}: ${answer.error.desc}`);
    return answer.return;
  };
  await unlessAborted(signal, greeted.promise, over);
  await command('qmp_capabilities', {}, signal);
  return command;
}

const failed = (words: string): DormouseError => new DormouseError('vmm-failed', `raw harness: ${words}`);

/** The first of these to settle, or the signal's reason. Leaves no listener behind: some signals live as long as the run. */
export async function unlessAborted<Result>(signal: AbortSignal, ...work: Promise<Result>[]): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([...work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
