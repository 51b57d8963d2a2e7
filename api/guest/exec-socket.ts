/**
 * `GET /v1/actors/{id}/exec` as a WebSocket: a program in an actor with its input and output, and a terminal if asked for.
 * Each message begins with a byte that names its channel, as in Kubernetes' remote command protocol (docs/guest.md).
 *
 *   refused (a problem document, no upgrade) ◄─ handshake ─► the actor is awake, the program started ─► open
 *   open ─► the program ended: channel 3 says how, then the socket closes (1000)
 *        ├─ it could not start, or the actor is put to sleep: channel 3 has the problem, then it closes (1011)
 *        └─ the client leaves, or does not answer a ping: the program is ended
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { errorIn } from '../../shared/node-service/contract.ts';
import type { ExecReply, ExecRequest } from '../../shared/proto/gen/agent.ts';
import { problemOf } from '../http/problem.ts';
import { channels, readFrame, writeFrame } from './exec-frames.ts';

/** A client that does not answer within one more round is gone; without this a dead one would keep its actor awake. */
const pingEveryMs = 20_000;
/** Input comes from people and pipes; a file has a route of its own. */
const maxFrameBytes = 1024 * 1024;

type Program = ClientDuplexStream<ExecRequest, ExecReply>;

const server = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, clientTracking: false });

/** Settles when both the program and the socket are over. */
export async function serveExecSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  program: Program,
  requestId: string,
): Promise<void> {
  const peer = await new Promise<WebSocket>((resolve) => server.handleUpgrade(request, socket, head, resolve));
  const closed = new Promise<void>((resolve) => void peer.once('close', () => resolve()));
  peer.on('error', () => undefined); // told by its close
  void closed.then(() => program.cancel());
  using _pulse = keepPulse(peer);
  takeInput(peer, program);
  await passOutput(peer, program, requestId);
  await closed;
}

async function passOutput(peer: WebSocket, program: Program, requestId: string): Promise<void> {
  try {
    let exitCode: number | undefined;
    for await (const reply of program as AsyncIterable<ExecReply>) {
      if (reply.output !== undefined) await send(peer, writeFrame(channels.stdout, reply.output));
      if (reply.errorOutput !== undefined) await send(peer, writeFrame(channels.stderr, reply.errorOutput));
      exitCode = reply.exitCode ?? exitCode;
    }
    if (exitCode === undefined) throw new DormouseError('internal', 'the guest did not say how the program ended');
    await send(peer, writeFrame(channels.status, Buffer.from(JSON.stringify({ exitCode }))));
    peer.close(1000);
  } catch (cause) {
    const { body } = problemOf(errorIn(cause), requestId);
    await send(peer, writeFrame(channels.status, Buffer.from(JSON.stringify({ problem: body }))));
    peer.close(1011);
  } finally {
    program.end();
    peer.resume(); // input that nobody takes any more must not hide that the client closes
  }
}

/** Waits until it is on its way: a slow client slows the program down. */
const send = (peer: WebSocket, frame: Buffer): Promise<void> =>
  new Promise((resolve) => {
    peer.send(frame, () => resolve());
  });

function takeInput(peer: WebSocket, program: Program): void {
  peer.on('message', (data: RawData, isBinary) => {
    const message = isBinary ? readFrame(data as Buffer) : undefined;
    if (message === undefined) {
      peer.close(1003, 'not a message of this protocol');
      return;
    }
    if (!program.writable || program.write(message)) return;
    peer.pause();
    program.once('drain', () => peer.resume());
  });
}

function keepPulse(peer: WebSocket): Disposable {
  let answered = true;
  peer.on('pong', () => (answered = true));
  const timer = setInterval(() => {
    if (!answered) peer.terminate();
    answered = false;
    peer.ping();
  }, pingEveryMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
