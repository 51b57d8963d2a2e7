/**
 * Looks at the platform while a run goes on: what each node holds, and the server's own figures when `/metrics` answers.
 * A look that fails is left out: watching must never fail what is watched.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { DormouseClient } from '../../sdk/client.ts';
import type { Look } from '../result/result.ts';
import { parsePrometheus } from './prometheus.ts';

export interface Watch extends AsyncDisposable {
  readonly looks: readonly Look[];
}

/** Two small requests; a run of an hour is 3,600 looks. */
const everyMs = 1000;
const lookLimitMs = 5000;
/** Of the server's own figures; what its language's runtime says besides (`nodejs_…`) fills a report with noise. */
const wantedMetric = /^(dormouse_|process_resident_memory_bytes|process_cpu_seconds_total)/;

export function watchPlatform(client: DormouseClient, token: string | undefined): Watch {
  const looks: Look[] = [];
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      const look = await lookOnce(client, token, AbortSignal.any([ended.signal, AbortSignal.timeout(lookLimitMs)]));
      if (look !== undefined) looks.push(look);
      await delay(everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  return {
    looks,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await watching;
    },
  };
}

async function lookOnce(
  client: DormouseClient,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Look | undefined> {
  const at = new Date().toISOString();
  try {
    const [nodes, metrics] = await Promise.all([client.nodes.list({ signal }), readMetrics(client.url, token, signal)]);
    const facts = nodes.map(({ id, usedSlots, usedMemoryMiB, memoryMiB }) => ({
      id,
      usedSlots,
      usedMemoryMiB,
      memoryMiB,
    }));
    return { at, nodes: facts, metrics };
  } catch {
    return undefined;
  }
}

/** Empty when the platform has none to show. */
async function readMetrics(
  url: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/metrics`, { signal, headers });
  const text = await response.text();
  if (!response.ok) return {};
  return Object.fromEntries(Object.entries(parsePrometheus(text)).filter(([name]) => wantedMetric.test(name)));
}
