/** Stands in for a guest agent: a real gRPC server that echoes programs, takes files and says lines. */
import { Metadata, Server, ServerCredentials, status, credentials, type ServerWritableStream } from '@grpc/grpc-js';
import {
  AgentClient,
  AgentService,
  type AgentServer,
  type ExecRequest,
  type LogLine,
  type LogsReply,
  type LogsRequest,
  type WriteFileRequest,
} from '../../shared/proto/gen/agent.ts';
import { countSessions, type SessionCounter } from '../guest/guest-sessions.ts';

export interface StandInAgent extends SessionCounter, Disposable {
  /** Programs that run at this moment. */
  readonly programs: number;
  /** What the last file held that came to its end. */
  readonly written: string | undefined;
  say(text: string): void;
  /** Ends every follower after its last line, as Quiesce does. */
  quiesce(): void;
}

export async function startStandInAgent(): Promise<StandInAgent> {
  const lines: LogLine[] = [];
  const followers = new Set<ServerWritableStream<LogsRequest, LogsReply>>();
  let programs = 0;
  let written: string | undefined;
  const service = {
    exec(call) {
      programs++;
      let isOver = false;
      const over = (): void => {
        if (!isOver) programs--;
        isOver = true;
      };
      call.on('cancelled', over);
      call.on('data', ({ start, input, inputEnded }: ExecRequest) => {
        if (start?.command[0] === 'missing') {
          over();
          const metadata = new Metadata();
          metadata.set('dormouse-code', 'exec-failed');
          call.emit('error', { code: status.FAILED_PRECONDITION, details: 'no such program', metadata });
        }
        if (input !== undefined) call.write({ output: input });
        if (inputEnded !== true) return;
        over();
        call.write({ exitCode: 4 });
        call.end();
      });
    },
    readFile(call) {
      call.write({ chunk: Buffer.from(call.request.path) });
      call.end();
    },
    writeFile(call, done) {
      const chunks: Buffer[] = [];
      call.on('data', ({ chunk }: WriteFileRequest) => chunks.push(chunk ?? Buffer.alloc(0)));
      call.on('end', () => {
        if (call.cancelled) return;
        written = Buffer.concat(chunks).toString();
        done(null, { writtenBytes: BigInt(written.length) });
      });
    },
    logs(call) {
      call.write({ lines });
      if (call.request.follow) followers.add(call);
      else call.end();
    },
  } as Partial<AgentServer>;
  const server = new Server();
  server.addService(AgentService, service as AgentServer);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const client = new AgentClient(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    ...countSessions(() => client),
    get programs() {
      return programs;
    },
    get written() {
      return written;
    },
    say(text) {
      const sequence = BigInt(lines.length + 1);
      const line = { sequence, unixNanos: sequence * 1000n, container: 'main', isError: false, text };
      lines.push(line);
      for (const follower of followers) follower.write({ lines: [line] });
    },
    quiesce() {
      for (const follower of followers) follower.end();
      followers.clear();
    },
    [Symbol.dispose]() {
      client.close();
      server.forceShutdown();
    },
  };
}
