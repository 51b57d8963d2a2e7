/**
 * Stands in for a worker's NodeService in the api's own tests: programs echo their input and can be told how to end, a
 * file is what was last put at its path. What really runs inside of an actor is e2e's matter.
 */
import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { RefusalReason } from '../../shared/http/ingress-contract.ts';
import type { LogLine } from '../../shared/logs/line.ts';
import { addressIn, refusalStatus, statusOf, type CallAddress } from '../../shared/node-service/contract.ts';
import type { ExecRequest, WriteFileRequest } from '../../shared/proto/gen/agent.ts';
import { NodeServiceService, type NodeServiceServer } from '../../shared/proto/gen/node.ts';

export interface StandInService extends Disposable {
  readonly url: string;
  /** What each actor wrote in its present activation. */
  readonly lines: LogLine[];
  /** What it opens of the lines that the store keeps, by actor. */
  readonly kept: Map<string, LogLine[]>;
  readonly files: Map<string, Buffer>;
  /** Programs that run at this moment. */
  readonly programs: number;
}

export async function startStandInService(
  refusalOf: (address: Partial<CallAddress>) => RefusalReason | undefined,
): Promise<StandInService> {
  const lines: LogLine[] = [];
  const kept = new Map<string, LogLine[]>();
  const files = new Map<string, Buffer>();
  let programs = 0;
  const notFound = statusOf(new DormouseError('file-not-found', 'no such file'));
  const handlers: NodeServiceServer = {
    exec(call) {
      const refusal = refusalOf(addressIn(call.metadata));
      if (refusal !== undefined) {
        call.emit('error', refusalStatus(refusal));
        return;
      }
      call.sendMetadata(new Metadata());
      programs++;
      let isOver = false;
      const end = (how: () => void): void => {
        if (isOver) return;
        isOver = true;
        programs--;
        how();
      };
      call.on('cancelled', () => end(() => undefined));
      call.on('data', ({ start, input, inputEnded, resize }: ExecRequest) => {
        if (start !== undefined) {
          const [command = '', ...rest] = start.command;
          if (command === 'missing') {
            end(() => call.emit('error', statusOf(new DormouseError('exec-failed', 'no such program'))));
          }
          call.write({ errorOutput: Buffer.from([command, ...rest, start.workingFolder].join(' ')) });
        }
        if (input !== undefined) call.write({ output: input });
        if (resize !== undefined) call.write({ output: Buffer.from(`${resize.columns}x${resize.rows}`) });
        if (inputEnded !== true) return;
        end(() => {
          call.write({ exitCode: 3 });
          call.end();
        });
      });
    },
    readFile(call) {
      const refusal = refusalOf(addressIn(call.metadata));
      const content = files.get(call.request.path);
      if (refusal !== undefined) call.emit('error', refusalStatus(refusal));
      else call.sendMetadata(new Metadata());
      if (refusal !== undefined) return;
      if (content === undefined) {
        call.emit('error', notFound);
        return;
      }
      const facts = { sizeBytes: BigInt(content.length), mode: 0o640, modifiedUnixNanos: 0n, isFolder: false };
      call.write({ facts });
      call.write({ chunk: content });
      call.end();
    },
    writeFile(call, done) {
      const refusal = refusalOf(addressIn(call.metadata));
      if (refusal !== undefined) {
        done(refusalStatus(refusal));
        return;
      }
      call.sendMetadata(new Metadata());
      const chunks: Buffer[] = [];
      let path = '';
      call.on('data', ({ start, chunk }: WriteFileRequest) => {
        path = start?.path ?? path;
        if (chunk !== undefined) chunks.push(chunk);
      });
      call.on('end', () => {
        if (call.cancelled) return;
        const content = Buffer.concat(chunks);
        files.set(path, content);
        done(null, { writtenBytes: BigInt(content.length) });
      });
    },
    logs(call) {
      const refusal = refusalOf(addressIn(call.metadata));
      if (refusal !== undefined) {
        call.emit('error', refusalStatus(refusal));
        return;
      }
      call.write({ lines });
      call.end();
    },
    keptLogs(call) {
      if (refusalOf(addressIn(call.metadata)) === 'unknown-caller') {
        call.emit('error', refusalStatus('unknown-caller'));
        return;
      }
      call.write({ lines: kept.get(call.request.actorId) ?? [] });
      call.end();
    },
  };
  const server = new Server();
  server.addService(NodeServiceService, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    lines,
    kept,
    files,
    get programs() {
      return programs;
    },
    [Symbol.dispose]: () => server.forceShutdown(),
  };
}
