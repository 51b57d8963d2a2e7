/** Every fault by its name. */
import type { Fault } from './fault.ts';
import { killRedis, loseRedisTail } from './redis.ts';
import { cutFromRedis, cutFromStore } from './cuts.ts';
import { killOne, named, ofNodes, stopOne, workers } from './processes.ts';
import { cutUploads, fillDisk, loseAnswers, refuseCalls } from './store.ts';

const vmm = ofNodes(/\/(qemu-system)-\S+ /);
const virtiofsd = ofNodes(/\/(virtiofsd) /);
const watchdog = ofNodes(/(watchdog)/);

export const faults = {
  'kill-api': killOne(named('api')),
  'stop-api': stopOne(named('api')),
  'kill-worker': killOne(workers),
  'stop-worker': stopOne(workers),
  'kill-watchdog': killOne(watchdog),
  'stop-watchdog': stopOne(watchdog),
  'kill-vmm': killOne(vmm),
  'stop-vmm': stopOne(vmm),
  'kill-virtiofsd': killOne(virtiofsd),
  'stop-virtiofsd': stopOne(virtiofsd),
  'kill-redis': killRedis,
  'stop-redis': stopOne(named('redis')),
  'redis-lost-tail': loseRedisTail,
  'cut-redis': cutFromRedis,
  'cut-store': cutFromStore,
  'store-errors': refuseCalls,
  'store-lost-answers': loseAnswers,
  'store-cut-uploads': cutUploads,
  'disk-full': fillDisk,
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];

/** For these the store is an S3 server behind proxies; without them it is a folder. */
export const needsProxiedStore = (name: FaultName): boolean => name === 'cut-store' || name.startsWith('store-');
