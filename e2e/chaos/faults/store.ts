/** Faults of the store: it refuses, answers into nothing, loses uploads half-way, or has no room. */
import { statfs, unlink } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { Fault as ProxyFault } from '../../../shared/object-store/fault-proxy.ts';
import type { Fault } from './fault.ts';
import { pause } from './processes.ts';

/** More than the vendor client's own retries, so that the platform has to deal with it. */
const manyTimes = 1000;

const broken = (fault: ProxyFault, what: string, mayBreak: (method: string) => boolean): Fault => ({
  async strike({ world, random }) {
    const proxy = world.storeProxy;
    if (proxy === undefined) return undefined;
    proxy.breakNext(random.chance(0.5) ? 2 : manyTimes, fault, ({ method }) => mayBreak(method ?? ''));
    await pause(random, 500, 6000);
    const times = proxy.broken();
    proxy.breakNext(0, fault, () => false);
    return times === 0 ? undefined : `${what}, ${times} times`;
  },
});

const changes = (method: string): boolean => method === 'PUT' || method === 'POST';

export const refuseCalls = broken({ kind: 'answer', status: 503 }, 'the store refuses', () => true);
export const loseAnswers = broken({ kind: 'lose-answer' }, 'answers to uploads are lost', changes);
export const cutUploads = broken({ kind: 'cut-request', afterBytes: 20_000 }, 'uploads break off', changes);

export const fillDisk: Fault = {
  async strike({ world, random }) {
    const { smallDisk } = world;
    if (smallDisk === undefined) return undefined;
    const file = path.join(smallDisk, 'filler');
    const { bavail, bsize } = await statfs(smallDisk);
    if (bavail === 0) return undefined; // it is full already
    // The platform writes meanwhile, so this may find less than it asked for: then the disk is full all the same.
    await execa('fallocate', ['-l', String(bavail * bsize), file], { reject: false });
    await pause(random, 1000, 8000);
    await unlink(file);
    return 'the disk of the store';
  },
};
