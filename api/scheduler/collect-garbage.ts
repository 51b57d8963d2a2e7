/**
 * Removes from the store what nothing names and nothing can come to name (shared/fsck/): parts of failed attempts and
 * lost commits, what a deletion that was cut off left, goldens of preparations that came second. One process at a time
 * does it, the one that leads; it goes through the whole store at a slow pace and then rests.
 *
 * Two of them at once would do no harm: what is garbage for one is garbage for the other. Failures are logged, and the
 * next pass tries again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Finding } from '../../shared/fsck/finding.ts';
import { defaultGraceMs, isGarbage } from '../../shared/fsck/garbage.ts';
import { inspectStore } from '../../shared/fsck/inspect-store.ts';
import type { ApiParts } from '../parts.ts';

type Parts = Pick<ApiParts, 'registry' | 'store' | 'log'>;

export interface GarbageOptions {
  /** Names this process among those that could lead. */
  readonly holder: string;
  readonly everyMs?: number;
  readonly graceMs?: number;
}

/** Garbage costs room and nothing else, and a pass reads the log of every actor. */
const defaultEveryMs = 3600 * 1000;
/** A platform that has just started has better things to do. */
const firstAfterMs = 5 * 60 * 1000;
/** Actors (or templates, or asset sets) between two breaths. */
const groupsPerBreath = 50;
const breathMs = 1000;
/** Outlasts a breath and the work between two of them, with room for a slow store. */
const leadTtlMs = 5 * 60 * 1000;

export function startGarbageCollection(parts: Parts, options: GarbageOptions): AsyncDisposable {
  const stop = new AbortController();
  const running = run(parts, options, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new DormouseError('shutting-down', 'the api is stopping'));
      await running;
    },
  };
}

async function run(parts: Parts, options: GarbageOptions, stop: AbortSignal): Promise<void> {
  const { everyMs = defaultEveryMs } = options;
  await delay(Math.min(firstAfterMs, everyMs), undefined, { signal: stop }).catch(() => undefined);
  while (!stop.aborted) {
    try {
      if (await parts.registry.lead('garbage', options.holder, leadTtlMs)) await collectGarbage(parts, options, stop);
    } catch (error) {
      if (!isOver(stop)) parts.log.warn({ err: error }, 'garbage collection broke off');
    }
    await delay(everyMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

const isOver = (stop: AbortSignal): boolean => stop.aborted;

/** One pass over the store; returns how many objects were removed. */
export async function collectGarbage(parts: Parts, options: GarbageOptions, signal: AbortSignal): Promise<number> {
  const { store, registry, log } = parts;
  const { holder, graceMs = defaultGraceMs } = options;
  let groups = 0;
  let [removed, freedBytes] = [0, 0];
  await inspectStore({
    store,
    signal,
    async onGroup() {
      if (++groups % groupsPerBreath !== 0) return;
      await delay(breathMs, undefined, { signal });
      if (!(await registry.lead('garbage', holder, leadTtlMs))) throw new Error('another process collects garbage now');
    },
    async onFinding(finding) {
      if (!isGarbage(finding, graceMs) || (await isBeingPrepared(parts, finding))) return;
      await store.delete(finding.key, { signal });
      log.debug({ object: finding.key, reason: finding.reason }, 'garbage removed');
      removed++;
      freedBytes += finding.sizeBytes ?? 0;
    },
  });
  if (removed > 0) log.info({ removed, freedBytes }, 'garbage collected');
  return removed;
}

/** A machine that slept in the middle of a preparation goes on with parts that look old. */
async function isBeingPrepared({ registry }: Parts, { key }: Finding): Promise<boolean> {
  const [root, name = ''] = key.split('/');
  if (root !== 'templates') return false;
  return (await registry.getTemplate(name))?.state === 'preparing';
}
