/** Faults of the store: it refuses, is slow, answers into nothing, or loses uploads and downloads half-way. */
import type { Fault as ProxyFault } from '../../../shared/object-store/fault-proxy.ts';
import type { Fault } from './fault.ts';
import { pause } from './processes.ts';

/** More than the vendor client's own retries, so that the platform has to deal with it. */
const manyTimes = 1000;

const broken = (fault: ProxyFault, what: string, mayBreak: (method: string) => boolean): Fault => ({
  async strike({ world, random }) {
    const { proxy } = world.store;
    if (proxy === undefined) return undefined;
    proxy.breakNext(random.chance(0.5) ? 2 : manyTimes, fault, ({ method }) => mayBreak(method ?? ''));
    await pause(random, 500, 6000);
    const times = proxy.broken();
    proxy.breakNext(0, fault, () => false);
    return times === 0 ? undefined : `${what}, ${times} times`;
  },
});

const changes = (method: string): boolean => method === 'PUT' || method === 'POST';
const isDownload = (method: string): boolean => method === 'GET';

export const refuseCalls = broken({ kind: 'answer', status: 503 }, 'the store refuses', () => true);
export const loseAnswers = broken({ kind: 'lose-answer' }, 'answers to uploads are lost', changes);
export const cutUploads = broken({ kind: 'cut-request', afterBytes: 20_000 }, 'uploads break off', changes);
export const cutDownloads = broken({ kind: 'cut-answer', afterBytes: 20_000 }, 'downloads break off', isDownload);
/** A small generation takes seconds, a golden more than any caller waits. */
export const slowDown = broken({ kind: 'slow-answer', bytesPerSecond: 100_000 }, 'downloads trickle', isDownload);
