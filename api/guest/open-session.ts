/**
 * Opens a call of the NodeService for an actor, whatever state the actor is in: as an invocation it wakes it, waits, and is
 * refused with the same words (invoke/reach.ts). What it returns is pinned: the actor stays awake while it lasts.
 */
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { RefusalReason } from '../../shared/http/ingress-contract.ts';
import { errorIn, metadataOf, refusalIn } from '../../shared/node-service/contract.ts';
import type { NodeServiceClient } from '../../shared/proto/gen/node.ts';
import type { SessionCall } from '../http/call-of.ts';
import { reach, type ReachParts } from '../invoke/reach.ts';
import type { NodeClients } from './node-clients.ts';

export interface GuestParts extends ReachParts {
  readonly nodeClients: NodeClients;
}

/** A call as grpc-js gives it, of any of its kinds. */
export interface SessionStream {
  once(event: 'metadata', listener: () => void): unknown;
  on(event: 'error', listener: (error: ServiceError) => void): unknown;
  cancel(): void;
}

/** The stream is cancelled when the call's signal ends. */
export async function openSession<Stream extends SessionStream>(
  parts: GuestParts,
  call: SessionCall,
  open: (client: NodeServiceClient, metadata: Metadata) => Stream,
): Promise<Stream> {
  let opened: Stream | undefined;
  await reach(parts, call, async ({ node, epoch, target }) => {
    const client = await parts.nodeClients.clientOf(node);
    if (client === undefined) return { outcome: 'refused', reason: 'unknown-node' };
    const stream = open(client, metadataOf({ pass: target.pass(), actorId: call.id, epoch }));
    call.signal.addEventListener('abort', () => stream.cancel(), { once: true });
    if (call.signal.aborted) stream.cancel();
    const refusal = await admission(stream);
    if (refusal !== undefined) return { outcome: 'refused', reason: refusal };
    opened = stream;
    return { outcome: 'answered', status: 200 };
  });
  if (opened === undefined)
    throw new DormouseError('deadline-exceeded', 'the client left', { cause: call.signal.reason });
  return opened;
}

/**
 * Undefined once the activation is pinned. A node that is not there has done nothing of the call: that counts as a
 * refusal, and the actor is looked up again.
 */
function admission(stream: SessionStream): Promise<RefusalReason | 'unknown-node' | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<RefusalReason | 'unknown-node' | undefined>();
  stream.once('metadata', () => resolve(undefined));
  // Stays: what fails later is told to whoever reads the stream, and is no uncaught error here.
  stream.on('error', (error) => {
    const refusal = refusalIn(error);
    if (refusal !== undefined) resolve(refusal);
    else if (error.code === status.UNAVAILABLE) resolve('unknown-node');
    else reject(errorIn(error));
  });
  return promise;
}
