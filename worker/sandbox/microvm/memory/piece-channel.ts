/**
 * A stream handed to a thread piece by piece: the thread asks for each, so that no more than one waits between the two,
 * and what produces them goes at the pace of what consumes them.
 *
 * Failures: that of the source, told on both sides; the thread's side ends it by closing its port.
 */
import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import {
  deserializeError,
  serializeError,
  toDormouseError,
  type DormouseError,
  type SerializedError,
} from '../../../../shared/errors/dormouse-error.ts';

type Answer = { readonly piece: Uint8Array } | { readonly failure: SerializedError } | 'end';

/** Serves a port until it is closed or the source has ended; then the source is closed too. */
export async function sendPieces(source: AsyncIterable<Uint8Array>, port: MessagePort): Promise<void> {
  const closed = once(port, 'close');
  const iterator = source[Symbol.asyncIterator]();
  let failure: DormouseError | undefined;
  port.on('message', () => {
    iterator.next().then(
      ({ done, value }) => {
        if (done === true) port.postMessage('end' satisfies Answer);
        else send(port, value);
      },
      (error: unknown) => {
        failure = toDormouseError(error);
        port.postMessage({ failure: serializeError(failure) } satisfies Answer);
      },
    );
  });
  await closed;
  await iterator.return?.();
  if (failure !== undefined) throw failure;
}

/** Given away with its memory, and so a copy: the piece is its producer's, and may be a part of something larger. */
function send(port: MessagePort, value: Uint8Array): void {
  const piece = new Uint8Array(value);
  port.postMessage({ piece } satisfies Answer, [piece.buffer]);
}

/** The other side. The port is closed when the reader has ended or given up. */
export async function* receivePieces(port: MessagePort, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      port.postMessage('next');
      const [answer] = (await once(port, 'message', { signal })) as [Answer];
      if (answer === 'end') return;
      if ('failure' in answer) throw deserializeError(answer.failure);
      yield Buffer.from(answer.piece.buffer);
    }
  } finally {
    port.close();
  }
}
