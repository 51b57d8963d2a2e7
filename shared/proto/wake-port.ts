/**
 * The host's end of a guest's wake port: a stream beside the agent's gRPC, on which a restored guest is told the time, given
 * entropy and told who it is, in one message (assets/guest-agent/wake/message.go has its layout). The guest answers with one
 * byte when all of it has been applied. Connected before the guest runs, so that its agent finds the message at once.
 *
 * Failure: `guest-unreachable`, when the port is not there, closes, or gives no answer or a refusal.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { DormouseError } from '../errors/dormouse-error.ts';

/** The kernel's pool takes 256 bits at most. */
const entropyBytes = 32;
const fixedBytes = 8 + 1;
const applied = 0;

export interface WakePort extends Disposable {
  /** One at a time, and none after a failure. Resolves when the guest is what it was told to be. No identity: it keeps its own. */
  wake(identity: object | undefined, signal: AbortSignal, unixMs?: number): Promise<void>;
}

export async function openWakePort(socketPath: string, signal: AbortSignal): Promise<WakePort> {
  const socket = connect(socketPath);
  await eventOf(socket, 'connect', signal).catch((cause: unknown) => {
    socket.destroy();
    throw cause;
  });
  socket.on('error', () => undefined); // it closes then, which is what whoever waits is told
  return {
    async wake(identity, wakeSignal, unixMs = Date.now()) {
      const answer = eventOf(socket, 'data', wakeSignal) as Promise<Buffer>;
      socket.write(
        encodeWake(unixMs, randomBytes(entropyBytes), identity === undefined ? '' : JSON.stringify(identity)),
      );
      try {
        const [code] = await answer;
        if (code !== applied) throw unreachable('it could not take on its clock, entropy or identity');
      } catch (cause) {
        socket.destroy(); // an answer that comes late must not be taken for the next one's
        throw cause;
      }
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

export function encodeWake(unixMs: number, entropy: Buffer, identity: string): Buffer {
  const fixed = Buffer.alloc(4 + fixedBytes);
  const text = Buffer.from(identity);
  fixed.writeUInt32LE(fixedBytes + entropy.length + text.length, 0);
  fixed.writeBigInt64LE(BigInt(unixMs) * 1_000_000n, 4);
  fixed.writeUInt8(entropy.length, 12);
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
    const onAbort = (): void => end(() => reject(unreachable('no answer to its wake message in time', signal.reason)));
    socket.on(event, onEvent).on('error', onError).on('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else if (socket.destroyed) onClose();
  });
}

const unreachable = (words: string, cause?: unknown): DormouseError =>
  new DormouseError('guest-unreachable', `the guest did not wake: ${words}`, { cause, details: { call: 'wake' } });
