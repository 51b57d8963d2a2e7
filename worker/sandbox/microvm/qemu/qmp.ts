/**
 * QEMU's machine protocol over the process's own standard input and output: no socket to find, to race for or to leave
 * behind, and QEMU sees the end of its worker as end of file.
 */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { DormouseError } from '../../../../shared/errors/dormouse-error.ts';

const messageSchema = z.union([
  z.object({ QMP: z.unknown() }),
  z.object({ return: z.unknown(), id: z.number() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }), id: z.number().optional() }),
  z.object({ event: z.string(), data: z.unknown().optional() }),
]);

export interface Qmp {
  execute(command: string, args: Readonly<Record<string, unknown>> | undefined, signal: AbortSignal): Promise<unknown>;
  /** The data of the next event of that name that `matches`. Ask before what causes it. */
  event(name: string, matches: (data: unknown) => boolean, signal: AbortSignal): Promise<unknown>;
  /** Fails every call under way and to come. */
  close(reason: string): void;
}

interface Call {
  /** A command, or an event that is waited for. */
  readonly what: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export function openQmp(output: Readable, input: Writable): { qmp: Qmp; greeted: Promise<void> } {
  const calls = new Map<number, Call>();
  const events = new Set<Call & { matches(data: unknown): boolean }>();
  const greeting = Promise.withResolvers<undefined>();
  greeting.promise.catch(() => undefined); // whoever launches also waits for the process itself
  let nextId = 1;
  let closed: string | undefined;

  const close = (reason: string): void => {
    closed ??= reason;
    greeting.reject(failed('start', reason));
    for (const call of [...calls.values(), ...events]) call.reject(failed(call.what, reason));
    calls.clear();
    events.clear();
  };
  createInterface({ input: output }).on('line', (line) => {
    const parsed = messageSchema.safeParse(parseJson(line));
    if (!parsed.success) return; // events we do not know, and firmware chatter
    const message = parsed.data;
    if ('QMP' in message) greeting.resolve(undefined);
    if ('event' in message) {
      for (const waiter of events) {
        if (waiter.what === message.event && waiter.matches(message.data)) waiter.resolve(message.data);
      }
    }
    if (!('id' in message) || message.id === undefined) return;
    const call = calls.get(message.id);
    calls.delete(message.id);
    if ('error' in message) call?.reject(failed(call.what, message.error.desc));
    else call?.resolve(message.return);
  });
  input.on('error', () => undefined); // it ended: whoever launched it closes us with its last words

  const qmp: Qmp = {
    close,
    execute(command, args, signal) {
      if (closed !== undefined) return Promise.reject(failed(command, closed));
      if (signal.aborted) return Promise.reject(timedOut(command, signal));
      const id = nextId++;
      const { call, answer } = beginCall(command, signal);
      calls.set(id, call);
      input.write(JSON.stringify({ execute: command, id, ...(args && { arguments: args }) }) + '\n');
      return answer.finally(() => calls.delete(id));
    },
    event(name, matches, signal) {
      if (closed !== undefined) return Promise.reject(failed(name, closed));
      if (signal.aborted) return Promise.reject(timedOut(name, signal));
      const { call, answer } = beginCall(name, signal);
      const waiter = { ...call, matches };
      events.add(waiter);
      return answer.finally(() => events.delete(waiter));
    },
  };
  return { qmp, greeted: greeting.promise };
}

function beginCall(what: string, signal: AbortSignal): { call: Call; answer: Promise<unknown> } {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const abort = (): void => {
    reject(timedOut(what, signal));
  };
  signal.addEventListener('abort', abort, { once: true });
  return { call: { what, resolve, reject }, answer: promise.finally(() => signal.removeEventListener('abort', abort)) };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const failed = (command: string, words: string): DormouseError =>
  new DormouseError('vmm-failed', `the virtual machine monitor refused ${command}: ${words}`, { details: { command } });

const timedOut = (command: string, signal: AbortSignal): DormouseError =>
  new DormouseError('deadline-exceeded', `the virtual machine monitor did not answer ${command} in time`, {
    cause: signal.reason,
    details: { command },
  });
