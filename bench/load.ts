/** Calls over connections that are kept: one after the other for latency, some at a time for throughput. */
import { Pool } from 'undici';
import { percentile } from '../loadtest/percentile.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';

export interface Load {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly callsPerSecond: number;
}

/** Calls before the first that counts: connections, and code that the engines have not compiled yet. */
const warmUpCalls = 30;

/** Calls `url` for so long, so many at a time. */
export async function callFor(url: string, ms: number, atOnce: number, signal: AbortSignal): Promise<Load> {
  const { origin, pathname } = new URL(url);
  await using pool = closing(new Pool(origin, { connections: atOnce, pipelining: 1 }));
  const call = async (): Promise<void> => {
    const { statusCode, body } = await pool.request({ path: pathname, method: 'GET', signal });
    const text = await body.text();
    if (statusCode !== 200) throw new DormouseError('internal', `${url} answered ${statusCode}: ${text.slice(0, 200)}`);
  };
  for (let warm = 0; warm < warmUpCalls; warm++) await call();
  const latencies: number[] = [];
  const began = performance.now();
  const caller = async (): Promise<void> => {
    while (performance.now() - began < ms) {
      const sentAt = performance.now();
      await call();
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  const seconds = (performance.now() - began) / 1000;
  return { ...spread(latencies), callsPerSecond: latencies.length / seconds };
}

export const spread = (latencies: readonly number[]): { p50Ms: number; p99Ms: number } => ({
  p50Ms: percentile(latencies, 50) ?? 0,
  p99Ms: percentile(latencies, 99) ?? 0,
});

const closing = (pool: Pool): Pool & AsyncDisposable =>
  Object.assign(pool, { [Symbol.asyncDispose]: () => pool.destroy() });
