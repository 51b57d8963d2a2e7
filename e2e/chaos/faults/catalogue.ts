/** What each fault does. */
import path from 'node:path';
import type { Fault } from './fault.ts';
import type { FaultName } from './names.ts';
import { killRedis, loseRedisTail } from './redis.ts';
import { cutFromApi, cutFromRedis, cutFromStore } from './cuts.ts';
import { killOne, named, ofNodes, stopOne, workers } from './processes.ts';
import { fill } from './disks.ts';
import { cutDownloads, cutUploads, loseAnswers, refuseCalls, slowDown } from './store.ts';

const vmm = ofNodes(/\/(qemu-system)-\S+ /);
const virtiofsd = ofNodes(/\/(virtiofsd) /);
const watchdog = ofNodes(/(watchdog)/);

export const faults: Readonly<Record<FaultName, Fault>> = {
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
  'cut-api': cutFromApi,
  'cut-redis': cutFromRedis,
  'cut-store': cutFromStore,
  'store-errors': refuseCalls,
  'store-slow': slowDown,
  'store-lost-answers': loseAnswers,
  'store-cut-uploads': cutUploads,
  'store-cut-downloads': cutDownloads,
  'store-full': fill('the store', ({ store }) => store.folder),
  'disk-full': fill('the nodes', ({ platform }) => path.join(platform.home, 'nodes')),
};
