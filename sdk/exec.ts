/**
 * Programs in an actor: run to their end (`exec`), or with their input and output open (`session`), with a terminal if it
 * is wanted. A session's messages are binary; the first byte names a channel (docs/guest.md).
 *
 * Failures: what the api refused; `session-ended` and the like when the program could not go on; `connection-lost` when the
 * socket closed without saying how the program ended.
 */
import { DormouseApiError, isObject, problemError } from './api-error.ts';
import type { ExecResult, ExecSpec } from './generated/api.ts';
import { newSocket, opened } from './open-socket.ts';
import { queueOf } from './queue.ts';
import { queryString, segment } from './request-path.ts';
import type { ChangeOptions, CallOptions, Transport } from './transport.ts';
import type { WebSocketLike } from './web-socket.ts';

export type { ExecResult, ExecSpec };

export interface SessionOptions extends CallOptions {
  readonly container?: string | undefined;
  /** `NAME=value` each, over the container's own. */
  readonly env?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
  /** With a terminal of this size. */
  readonly terminal?: TerminalSize | undefined;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface Output {
  /** With a terminal, everything is `stdout`. */
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

export interface ExecSession extends AsyncDisposable {
  /** What the program writes, until it ends. May be read once. */
  readonly output: AsyncIterable<Output>;
  /** Its exit code: 128 + n after signal n. Settles also when nobody reads the output. */
  readonly exitCode: Promise<number>;
  write(data: Uint8Array | string): void;
  /** No more input comes; of a program without a terminal. */
  endInput(): void;
  resize(size: TerminalSize): void;
  /** Ends the program if it still runs. */
  close(): void;
}

const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;

export async function exec(
  transport: Transport,
  id: string,
  spec: ExecSpec,
  options: ChangeOptions = {},
): Promise<ExecResult> {
  const path = `/v1/actors/${segment(id)}/exec`;
  // Running a program twice is not the same as once: it is repeated only with a key of the caller's own.
  return (await transport.json({ method: 'POST', path, body: spec, once: true, ...options })) as ExecResult;
}

export async function openExecSession(
  transport: Transport,
  id: string,
  command: readonly string[],
  options: SessionOptions = {},
): Promise<ExecSession> {
  const { signal } = options;
  signal?.throwIfAborted();
  const socket = newSocket(transport, sessionPath(id, command, options));
  const session = sessionOn(socket, signal);
  await opened(socket, transport, id, signal);
  return session;
}

function sessionPath(id: string, command: readonly string[], options: SessionOptions): string {
  const { container, cwd, terminal, env = [] } = options;
  const size = terminal && { tty: 'true', cols: terminal.columns, rows: terminal.rows };
  const query = queryString({ command, env, container, cwd, ...size });
  return `/v1/actors/${segment(id)}/exec${query}`;
}

function sessionOn(socket: WebSocketLike, signal: AbortSignal | undefined): ExecSession {
  const output = queueOf<Output>();
  const close = (): void => socket.close();
  const exitCode = new Promise<number>((resolve, reject) => {
    const end = (settle: () => void): void => {
      signal?.removeEventListener('abort', close);
      output.end();
      settle();
    };
    socket.addEventListener('message', ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      const bytes = new Uint8Array(data);
      const payload = bytes.subarray(1);
      if (bytes[0] === channel.stdout) output.push({ stream: 'stdout', data: payload });
      else if (bytes[0] === channel.stderr) output.push({ stream: 'stderr', data: payload });
      else if (bytes[0] === channel.status) end(() => settleWith(payload, resolve, reject));
    });
    // Once settled, this changes nothing any more.
    socket.addEventListener('close', () => end(() => reject(lost(signal))));
    signal?.addEventListener('abort', close);
  });
  exitCode.catch(() => undefined); // whoever wants the code asks for it
  const send = (kind: number, payload: Uint8Array): void => {
    const frame = new Uint8Array(payload.length + 1);
    frame[0] = kind;
    frame.set(payload, 1);
    socket.send(frame);
  };
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  return {
    output,
    exitCode,
    close,
    write: (data) => send(channel.stdin, typeof data === 'string' ? encode(data) : data),
    endInput: () => send(channel.close, Uint8Array.of(channel.stdin)),
    resize: ({ columns, rows }) => send(channel.resize, encode(JSON.stringify({ cols: columns, rows }))),
    async [Symbol.asyncDispose]() {
      close();
      await exitCode.catch(() => undefined);
    },
  };
}

function settleWith(payload: Uint8Array, resolve: (code: number) => void, reject: (error: Error) => void): void {
  const status: unknown = JSON.parse(new TextDecoder().decode(payload));
  if (!isObject(status)) reject(lost(undefined));
  else if (typeof status['exitCode'] === 'number') resolve(status['exitCode']);
  else reject(problemError(isObject(status['problem']) ? status['problem'] : {}, 0));
}

function lost(signal: AbortSignal | undefined): Error {
  if (signal?.aborted === true && signal.reason instanceof Error) return signal.reason;
  const message = 'the connection ended before the program did';
  return new DormouseApiError({ status: 0, code: 'connection-lost', message, retryable: false });
}
