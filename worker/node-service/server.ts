/**
 * The node's own gRPC service: programs, files and logs of the activations it holds, and the lines that the store keeps of any
 * actor, for the api alone. It passes the
 * messages between the api's call and the guest agent's, both ways and with back-pressure, and owns only that one relay.
 *
 *   refused ◄─ call ─► pinned (the answer's metadata go out) ─► relayed ─► ended as the guest ended it
 *                                                              ├─ the caller leaves: the guest's side is cancelled
 *                                                              └─ a suspend waits no longer: `session-ended`
 */
import type { Readable, Writable } from 'node:stream';
import { Metadata, Server, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { z } from 'zod';
import { qualifiedNameSchema } from '../../shared/actor/namespace.ts';
import { DormouseError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import type { LogLine } from '../../shared/logs/line.ts';
import { addressIn, refusalStatus, statusOf } from '../../shared/node-service/contract.ts';
import { serverCredentials } from '../../shared/node-service/trust.ts';
import { NodeServiceService, type KeptLogsRequest, type NodeServiceServer } from '../../shared/proto/gen/node.ts';
import { enterActivation, findActivation, type Door } from '../ingress/admit.ts';
import type { Lease } from '../ingress/gate.ts';
import type { GuestSessions } from '../guest/guest-sessions.ts';
import type { ReadKept } from '../logs/read-kept.ts';
import { sendLines, streamLines } from './stream-lines.ts';

export interface NodeService extends AsyncDisposable {
  readonly url: string;
}

export async function startNodeService(host: string, door: Door, readKept: ReadKept): Promise<NodeService> {
  const server = new Server();
  server.addService(NodeServiceService, handlers(door, readKept));
  const name = host.includes(':') ? `[${host}]` : host;
  const port = await bind(server, `${name}:0`);
  return {
    url: `http://${name}:${port}`,
    [Symbol.asyncDispose]() {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

function handlers(door: Door, readKept: ReadKept): NodeServiceServer {
  return {
    exec(call) {
      const pinned = pin(door, call);
      if (pinned === undefined) return;
      const guest = begin(call, pinned.lease, () => pinned.sessions.exec());
      if (guest === undefined) return;
      relay(call, guest, pinned.lease);
      pass(call, guest);
      pass(guest, call, { end: false });
    },
    readFile(call) {
      const pinned = pin(door, call);
      if (pinned === undefined) return;
      const guest = begin(call, pinned.lease, () => pinned.sessions.readFile(call.request));
      if (guest === undefined) return;
      relay(call, guest, pinned.lease);
      pass(guest, call, { end: false });
    },
    writeFile(call, done) {
      const entered = enterActivation(door, addressIn(call.metadata));
      if (typeof entered === 'string') {
        done(refusalStatus(entered));
        return;
      }
      call.sendMetadata(new Metadata());
      const { lease, activation } = entered;
      let cut: Partial<StatusObject> | undefined;
      const guest = begin(call, lease, () =>
        activation.sandbox.sessions.writeFile((error, reply) => {
          lease[Symbol.dispose]();
          if (error === null) done(null, reply);
          else done(cut ?? passedOn(error));
        }),
      );
      if (guest === undefined) return;
      whenCut(lease, () => {
        cut = sessionEnded();
        guest.cancel();
      });
      call.on('cancelled', () => guest.cancel());
      guest.on('error', () => call.unpipe()); // told to the callback as well
      pass(call, guest);
    },
    logs(call) {
      const found = findActivation(door, addressIn(call.metadata));
      if (typeof found === 'string') call.emit('error', refusalStatus(found));
      else void streamLines(call, found.logs);
    },
    keptLogs(call) {
      if (!door.trusts(addressIn(call.metadata).pass)) {
        call.emit('error', refusalStatus('unknown-caller'));
        return;
      }
      void openKept(readKept, call.request).then(
        (lines) => sendLines(call, lines),
        (error: unknown) => call.emit('error', statusOf(toDormouseError(error))),
      );
    },
  };
}

/** Where not even a stream can be opened (the guest's channel is closed), the caller is told and the activation let go. */
function begin<Stream>(call: Pick<Call, 'emit'>, lease: Lease, open: () => Stream): Stream | undefined {
  try {
    return open();
  } catch (error) {
    lease[Symbol.dispose]();
    call.emit('error', statusOf(toDormouseError(error)));
    return undefined;
  }
}

/** They become parts of the names of objects. */
const lifeSchema = z.object({ actorId: qualifiedNameSchema, uid: z.uuid() });

async function openKept(readKept: ReadKept, request: KeptLogsRequest): Promise<readonly LogLine[]> {
  const { success, data } = lifeSchema.safeParse(request);
  if (!success) throw new DormouseError('invalid-input', 'not the life of an actor');
  return readKept(data.actorId, data.uid);
}

/** The messages are the same on both sides. Node's types know streams of bytes alone. */
const pass = (from: object, to: object, options: { readonly end?: boolean } = {}): void =>
  void (from as Readable).pipe(to as Writable, options);

interface Call {
  readonly metadata: Metadata;
  sendMetadata(metadata: Metadata): void;
  emit(event: 'error', status: Partial<StatusObject>): boolean;
}

/** Undefined when the call was refused. */
function pin(door: Door, call: Call): { readonly sessions: GuestSessions; readonly lease: Lease } | undefined {
  const entered = enterActivation(door, addressIn(call.metadata));
  if (typeof entered === 'string') {
    call.emit('error', refusalStatus(entered));
    return undefined;
  }
  call.sendMetadata(new Metadata());
  return { sessions: entered.activation.sandbox.sessions, lease: entered.lease };
}

interface Ends {
  on(event: 'cancelled', listener: () => void): unknown;
  emit(event: 'error', status: Partial<StatusObject>): boolean;
  end(): unknown;
}

interface GuestStream {
  on(event: 'error', listener: (error: ServiceError) => void): unknown;
  on(event: 'end' | 'status', listener: () => void): unknown;
  cancel(): void;
}

/** Ends the api's call as the guest's ended, once; the activation is pinned until then. */
function relay(call: Ends, guest: GuestStream, lease: Lease): void {
  let over = false;
  const fail = (status: Partial<StatusObject>): void => {
    if (over) return;
    over = true;
    call.emit('error', status);
  };
  guest.on('error', (error) => fail(passedOn(error)));
  guest.on('end', () => {
    if (over) return;
    over = true;
    call.end();
  });
  guest.on('status', () => lease[Symbol.dispose]());
  call.on('cancelled', () => {
    over = true;
    guest.cancel();
  });
  whenCut(lease, () => {
    fail(sessionEnded());
    guest.cancel();
  });
}

function whenCut(lease: Lease, cut: () => void): void {
  if (lease.signal.aborted) cut();
  else lease.signal.addEventListener('abort', cut, { once: true });
}

const sessionEnded = (): Partial<StatusObject> =>
  statusOf(new DormouseError('session-ended', 'the actor is put to sleep, and what lasted inside of it was ended'));

const passedOn = ({ code, details, metadata }: ServiceError): Partial<StatusObject> => ({ code, details, metadata });

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, serverCredentials(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}
