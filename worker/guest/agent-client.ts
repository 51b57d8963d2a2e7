/**
 * The guest agent as promises: one gRPC channel over the VM's agent socket, opened on first use. Close it before the VM
 * is frozen, so that no half-open connection becomes part of a snapshot.
 *
 * Failures: `guest-unreachable` when the agent does not answer in time; a failed start carries the agent's own code
 * (`container-exited`, `container-start-failed`, `probe-failed`) and the guest's dump in `details.guest`.
 */
import { credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { isErrorCode } from '../../shared/errors/codes.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import {
  AgentClient,
  type Container,
  type HelloReply,
  type InspectReply,
  type StartFailure,
  type StartReply,
} from '../../shared/proto/gen/agent.ts';
import { countSessions, type GuestSessions } from './guest-sessions.ts';

const inspectTailLines = 50;
/** A dump is read by people; a container that logs megabytes still gives a readable one. */
const maxMessageBytes = 8 * 1024 * 1024;

export interface GuestAgent {
  hello(deadlineMs: number): Promise<HelloReply>;
  start(containers: Container[], timeoutMs: number): Promise<void>;
  quiesce(deadlineMs: number): Promise<void>;
  inspect(deadlineMs: number): Promise<InspectReply>;
  readonly sessions: GuestSessions;
  /** Waits until every session is over; a Quiesce ends those of the agent. */
  settled(limitMs: number): Promise<void>;
  close(): void;
}

/** Over emulation a call's first run costs up to 100 ms, so the start's own limit gets this much on top. */
const startGraceMs = 5000;

export function connectAgent(socketPath: string): GuestAgent {
  const client = new AgentClient(`unix:${socketPath}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 10,
    'grpc.min_reconnect_backoff_ms': 10,
    'grpc.max_reconnect_backoff_ms': 200,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.enable_http_proxy': 0,
    // Each VM's agent has its own channel; a shared subchannel could outlive it.
    'grpc.use_local_subchannel_pool': 1,
  });
  return {
    hello: (deadlineMs) => call('hello', deadlineMs, (meta, options, done) => client.hello({}, meta, options, done)),
    async start(containers, timeoutMs) {
      const request = { containers, timeoutMs };
      const reply = await call<StartReply>('start', timeoutMs + startGraceMs, (meta, options, done) =>
        client.start(request, meta, options, done),
      );
      if (reply.failure !== undefined) throw startFailure(reply.failure);
    },
    async quiesce(deadlineMs) {
      await call('quiesce', deadlineMs, (meta, options, done) => client.quiesce({}, meta, options, done));
    },
    inspect: (deadlineMs) =>
      call('inspect', deadlineMs, (meta, options, done) =>
        client.inspect({ tailLines: inspectTailLines }, meta, options, done),
      ),
    ...countSessions(() => client),
    close: () => client.close(),
  };
}

type Done<Reply> = (error: ServiceError | null, reply: Reply) => void;

function call<Reply>(
  name: string,
  deadlineMs: number,
  send: (metadata: Metadata, options: { deadline: number }, done: Done<Reply>) => unknown,
): Promise<Reply> {
  const metadata = new Metadata({ waitForReady: true });
  return new Promise((resolve, reject) => {
    send(metadata, { deadline: Date.now() + deadlineMs }, (error, reply) => {
      if (error === null) resolve(reply);
      else reject(unreachable(name, deadlineMs, error));
    });
  });
}

function unreachable(name: string, deadlineMs: number, cause: ServiceError): DormouseError {
  const words = cause.code === status.DEADLINE_EXCEEDED ? `no answer within ${deadlineMs} ms` : cause.details;
  return new DormouseError('guest-unreachable', `the guest agent failed at ${name}: ${words}`, {
    cause,
    details: { call: name },
  });
}

function startFailure(failure: StartFailure): DormouseError {
  const code = isErrorCode(failure.code) ? failure.code : 'container-start-failed';
  const log = failure.dump?.containers.find((container) => container.name === failure.container)?.logTail ?? '';
  const words = log === '' ? failure.message : `${failure.message}; its last words: ${lastLines(log, 5)}`;
  return new DormouseError(code, `container ${failure.container}: ${words}`, {
    details: { container: failure.container, log, guest: failure.dump && readable(failure.dump) },
  });
}

/** The dump as JSON can carry it. */
const readable = (dump: InspectReply): object => ({
  ...dump,
  memoryAvailableBytes: Number(dump.memoryAvailableBytes),
  containers: dump.containers.map((container) => ({ ...container, upperUsedBytes: Number(container.upperUsedBytes) })),
});

const lastLines = (text: string, count: number): string => text.trim().split('\n').slice(-count).join(' | ');
