/** The messages of the exec WebSocket: a byte for the channel, then what it carries. */
import { z } from 'zod';
import type { ExecRequest } from '../../shared/proto/gen/agent.ts';

export const channels = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  /** JSON, the last message: `{"exitCode": n}`, or `{"problem": …}`. */
  status: 3,
  /** JSON: `{"cols": n, "rows": n}`. */
  resize: 4,
  /** What follows is the number of a channel that ends: only 0 can. */
  close: 255,
} as const;

const sizeSchema = z.object({ cols: z.int().min(1).max(9999), rows: z.int().min(1).max(9999) });

export const writeFrame = (channel: number, payload: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([channel]), payload]);

/** Undefined for what no client may send. */
export function readFrame(frame: Buffer): ExecRequest | undefined {
  const payload = frame.subarray(1);
  if (frame[0] === channels.stdin) return { input: payload };
  if (frame[0] === channels.resize) return resizeIn(payload);
  const endsInput = frame[0] === channels.close && payload.length === 1 && payload[0] === channels.stdin;
  return endsInput ? { inputEnded: true } : undefined;
}

function resizeIn(payload: Buffer): ExecRequest | undefined {
  try {
    const { cols: columns, rows } = sizeSchema.parse(JSON.parse(payload.toString('utf8')));
    return { resize: { columns, rows } };
  } catch {
    return undefined;
  }
}
