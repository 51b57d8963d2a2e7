/**
 * The host's end of a guest's wake port: a stream beside the agent's gRPC for what must be said right before a guest's first
 * request (the time, entropy, who it is) and right before it is frozen. Each is one message, which the guest answers with
 * one byte when it is done; assets/guest-agent/wake/message.go has their layout. Connected before the guest runs, so that
 * its agent finds the message at once.
 *
 * Failure: `guest-unreachable`, when the port is not there, closes, or gives no answer or a refusal.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { DormouseError } from '../errors/dormouse-error.ts';

/** The kernel's pool takes 256 bits at most. */
const entropyBytes = 32;
const kinds = { wake: 1, quiesce: 2 } as const;
const lengthBytes = 4;
const fixedBytes = 1 + 8 + 1;
const done = 0;

/** One message at a time, and none after a failure. */
export interface WakePort extends Disposable {
  /** Resolves when the guest is what it was told to be. No identity: it keeps its own. */
  wake(identity: object | undefined, signal: AbortSignal, unixMs?: number): Promise<void>;
  /** Resolves when nothing of the agent is under way: the guest can be frozen. */
  quiesce(signal: AbortSignal): Promise<void>;
}

export async function openWakePort(socketPath: string, signal: AbortSignal): Promise<WakePort> {
  const socket = connect(socketPath);
  await eventOf(socket, 'connect', signal).catch((cause: unknown) => {
    socket.destroy();
    throw cause;
  });
  socket.on('error', () => undefined); // it closes then, which is what whoever waits is told
  const tell = async (message: Buffer, tellSignal: AbortSignal): Promise<void> => {
    const answer = eventOf(socket, 'data', tellSignal) as Promise<Buffer>;
    socket.write(message);
    try {
      const [code] = await answer;
      if (code !== done) throw unreachable('it could not take on its clock, entropy or identity');
    } catch (cause) {
      socket.destroy(); // an answer that comes late must not be taken for the next one's
      throw cause;
    }
  };
  return {
    wake: (identity, wakeSignal, unixMs = Date.now()) =>
      tell(
        encodeWake(unixMs, randomBytes(entropyBytes), identity === undefined ? '' : JSON.stringify(identity)),
        wakeSignal,
      ),
    quiesce: (quiesceSignal) => tell(Buffer.of(1, 0, 0, 0, kinds.quiesce), quiesceSignal),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

export function encodeWake(unixMs: number, entropy: Buffer, identity: string): Buffer {
  const fixed = Buffer.alloc(lengthBytes + fixedBytes);
  const text = Buffer.from(identity);
  fixed.writeUInt32LE(fixedBytes + entropy.length + text.length, 0);
  fixed.writeUInt8(kinds.wake, 4);
  fixed.writeBigInt64LE(BigInt(unixMs) * 1_000_000n, 5);
  fixed.writeUInt8(entropy.length, 13);
  return Buffer.concat([fixed, entropy, text]);
}

function eventOf(socket: Socket, event: 'connect' | 'data', signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onEvent = (value: unknown): void => end(() => resolve(value));
    const onError = (cause: Error): void => end(() => reject(unreachable(cause.message, cause)));
    const onClose = (): void => end(() => reject(unreachable('its wake port was closed')));
    const onAbort = (): void => end(() => reject(unreachable('no answer on its wake port in time', signal.reason)));
    socket.on(event, onEvent).on('error', onError).on('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else if (socket.destroyed) onClose();
  });
}

const unreachable = (words: string, cause?: unknown): DormouseError =>
  new DormouseError('guest-unreachable', `the guest did not obey: ${words}`, { cause, details: { call: 'wake port' } });
