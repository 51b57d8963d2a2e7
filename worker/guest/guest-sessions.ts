/**
 * What lasts inside a guest: programs, file transfers, log readers. Each is a stream of the agent's protocol, and each must
 * be over before the guest is frozen, so they are counted here.
 */
import { once } from 'node:events';
import type { ClientDuplexStream, ClientReadableStream, ClientWritableStream, ServiceError } from '@grpc/grpc-js';
import type {
  AgentClient,
  ExecReply,
  ExecRequest,
  LogsReply,
  LogsRequest,
  ReadFileReply,
  ReadFileRequest,
  WriteFileReply,
  WriteFileRequest,
} from '../../shared/proto/gen/agent.ts';

/** The streams fail with a ServiceError when the agent refuses, and when the guest is gone. */
export interface GuestSessions {
  exec(): ClientDuplexStream<ExecRequest, ExecReply>;
  readFile(request: ReadFileRequest): ClientReadableStream<ReadFileReply>;
  writeFile(done: (error: ServiceError | null, reply?: WriteFileReply) => void): ClientWritableStream<WriteFileRequest>;
  logs(request: LogsRequest): ClientReadableStream<LogsReply>;
}

export interface SessionCounter {
  readonly sessions: GuestSessions;
  /** Resolves when every session that was opened is over, at the latest after the limit. */
  settled(limitMs: number): Promise<void>;
}

type Session = { on(event: 'status', listener: () => void): unknown };

export function countSessions(client: () => AgentClient): SessionCounter {
  const open = new Set<Promise<unknown>>();
  const count = <Stream extends Session>(stream: Stream): Stream => {
    const over = new Promise<void>((resolve) => void stream.on('status', () => resolve()));
    open.add(over);
    void over.then(() => open.delete(over));
    return stream;
  };
  return {
    sessions: {
      exec: () => count(client().exec()),
      readFile: (request) => count(client().readFile(request)),
      writeFile: (done) => count(client().writeFile((error, reply) => done(error, reply))),
      logs: (request) => count(client().logs(request)),
    },
    async settled(limitMs) {
      if (open.size === 0) return;
      const limit = AbortSignal.timeout(limitMs);
      await Promise.race([Promise.all(open), once(limit, 'abort')]);
    },
  };
}
