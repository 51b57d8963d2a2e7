/**
 * Sees to it that the registry has a current life (shared/registry/incarnation.ts): at the start, and whenever Redis was
 * restarted, emptied or replaced while we run. Every api does this; the store's create-only claim and the registry's
 * scripts make it one life.
 *
 *   no current life ─► begin the next one ─► read the store back (one process at a time) ─► open placement
 *
 * Failures are logged, and the next look tries again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DormouseError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { ensureIncarnation, openWhenAnnounced } from '../../shared/registry/incarnation.ts';
import type { ApiParts } from '../parts.ts';
import { beginRebuild } from './rebuild-registry.ts';

type Parts = Pick<ApiParts, 'registry' | 'store' | 'log'>;

export interface KeepOptions {
  /** Names this process among those that could rebuild. */
  readonly holder: string;
  readonly leaseMs: number;
}

const lookEveryMs = 1000;
/** Callers wait for placement to open. */
const lookWhileClosedMs = 200;
/** Another process goes on after this long when the one that rebuilds has died. */
const leadTtlMs = 10_000;

/**
 * The first life that this process sees. Waits as long as Redis or the store does not answer; throws when waiting cannot
 * help, because the store refuses us.
 */
export async function awaitFirstLife(parts: Parts, leaseMs: number, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      await ensureIncarnation(parts.registry, parts.store, { leaseMs, signal: stop });
      return;
    } catch (error) {
      if (isOver(stop)) return;
      if (!toDormouseError(error).retryable) throw error;
      parts.log.warn({ err: error }, 'waiting for redis and the store');
      await delay(lookEveryMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

export function keepRegistryAlive(parts: Parts, options: KeepOptions): AsyncDisposable {
  const stop = new AbortController();
  const running = run(parts, options, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new DormouseError('shutting-down', 'the api is stopping'));
      await running;
    },
  };
}

async function run(parts: Parts, options: KeepOptions, stop: AbortSignal): Promise<void> {
  let rebuilding: Promise<void> | undefined;
  while (!stop.aborted) {
    let settled = false;
    try {
      const { registry, store } = parts;
      await ensureIncarnation(registry, store, { leaseMs: options.leaseMs, signal: stop });
      const { rebuilt, incarnation } = await registry.life();
      if (!rebuilt) {
        rebuilding ??= rebuildOnce(parts, options, incarnation, stop).finally(() => (rebuilding = undefined));
      }
      settled = (await openWhenAnnounced(registry, store, { signal: stop })) && rebuilt;
    } catch (error) {
      if (!isOver(stop)) parts.log.warn({ err: error }, 'waiting for redis and the store');
    }
    const pauseMs = settled ? lookEveryMs : lookWhileClosedMs;
    await delay(pauseMs, undefined, { signal: stop }).catch(() => undefined);
  }
  await rebuilding;
}

const isOver = (stop: AbortSignal): boolean => stop.aborted;

/** Does nothing while another process does it. */
async function rebuildOnce(parts: Parts, options: KeepOptions, incarnation: number, stop: AbortSignal): Promise<void> {
  const { registry, log } = parts;
  const lead = (): Promise<boolean> => registry.lead('rebuild', options.holder, leadTtlMs);
  try {
    if (!(await lead())) return;
    try {
      const { ended } = await beginRebuild(parts, stop, lead);
      if ((await ended).state === 'done') await registry.markRebuilt(incarnation);
      else await delay(lookEveryMs, undefined, { signal: stop });
    } finally {
      // Given back: whoever starts next, perhaps at once and on the same Redis, must not wait until it has run out.
      await registry.lead('rebuild', options.holder, 1).catch(() => undefined);
    }
  } catch (error) {
    if (!isOver(stop)) log.warn({ err: error }, 'rebuild not finished');
  }
}
