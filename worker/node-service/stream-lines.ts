/** Streams an activation's lines to one reader, from the host's own memory; a reader that is too slow is cut off. */
import { status, type ServerWritableStream } from '@grpc/grpc-js';
import type { LogLine } from '../../shared/logs/line.ts';
import type { LogsReply, LogsRequest } from '../../shared/proto/gen/agent.ts';
import type { LogCollector } from '../logs/collector.ts';

type LogCall = ServerWritableStream<LogsRequest, LogsReply>;

/** What may wait for a slow reader; it can ask again for what it missed. */
const longestBacklogLines = 20_000;
/** Of one message, so that none comes near gRPC's limit. */
const messageLines = 200;

export async function streamLines(call: LogCall, logs: LogCollector): Promise<void> {
  const out = outlet(call);
  if (call.request.follow) {
    const reader = logs.follow(out.take, out.finish);
    call.on('cancelled', () => reader[Symbol.dispose]());
    return;
  }
  await logs.refresh();
  out.take(logs.lines());
  out.finish();
}

/** Lines that are all there is. */
export function sendLines(call: ServerWritableStream<unknown, LogsReply>, lines: readonly LogLine[]): void {
  const out = outlet(call);
  out.take(lines);
  out.finish();
}

interface Outlet {
  readonly take: (lines: readonly LogLine[]) => void;
  /** After what was taken. */
  readonly finish: () => void;
}

function outlet(call: ServerWritableStream<unknown, LogsReply>): Outlet {
  let backlog: LogLine[] = [];
  let state: 'waiting' | 'sending' | 'over' = 'waiting';
  let isLast = false;
  const send = (): void => {
    if (state === 'over') return;
    const lines = backlog.slice(0, messageLines);
    backlog = backlog.slice(messageLines);
    state = lines.length > 0 ? 'sending' : isLast ? 'over' : 'waiting';
    if (state === 'sending') call.write({ lines }, send);
    if (state === 'over') call.end();
  };
  call.on('cancelled', () => (state = 'over'));
  return {
    take(lines) {
      if (state === 'over') return;
      backlog.push(...lines);
      if (backlog.length > longestBacklogLines) {
        state = 'over';
        call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'the reader is too slow' });
      } else if (state === 'waiting') send();
    },
    finish() {
      isLast = true;
      if (state === 'waiting') send();
    },
  };
}
