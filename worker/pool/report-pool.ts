/**
 * Says in the registry what waits here, for those who look at nodes: within a second of a change, never on the way of a
 * wake. Best effort: what could not be said is said at the next look.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { dropPool, writePool, type NodeBoot } from '../../shared/registry/pool-report.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { SandboxPool } from './pool.ts';

/** A person looks at it; a burst of wakes is not worth a write each. */
const lookEveryMs = 1000;
/** A registry that was emptied knows it again by then. */
const repeatMs = 60_000;

export interface PoolReportOptions {
  readonly pool: Pick<SandboxPool, 'shares'>;
  readonly registry: Pick<Registry, 'readNote' | 'writeNote'>;
  readonly node: NodeBoot;
  readonly log: Logger;
  readonly everyMs?: number;
}

export function reportPool(options: PoolReportOptions): AsyncDisposable {
  const stop = new AbortController();
  const running = report(options, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await dropPool(options.registry, options.node).catch(() => undefined); // of a boot that is over, it says nothing
    },
  };
}

async function report(options: PoolReportOptions, stop: AbortSignal): Promise<void> {
  const { pool, registry, node, log, everyMs = lookEveryMs } = options;
  let said: { readonly text: string; readonly atMs: number } | undefined;
  while (!stop.aborted) {
    const shares = pool.shares();
    const text = JSON.stringify(shares);
    const now = performance.now();
    if (said?.text !== text || now - said.atMs > repeatMs) {
      try {
        await writePool(registry, node, shares);
        said = { text, atMs: now };
      } catch (error) {
        log.debug({ err: error }, 'the pool was not reported');
      }
    }
    await delay(everyMs, undefined, { signal: stop, ref: false }).catch(() => undefined);
  }
}
