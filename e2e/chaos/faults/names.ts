/** Every fault there is, by name; what each does is in catalogue.ts. */

export const faultNames = [
  'kill-api',
  'stop-api',
  'kill-worker',
  'stop-worker',
  'kill-watchdog',
  'stop-watchdog',
  'kill-vmm',
  'stop-vmm',
  'kill-virtiofsd',
  'stop-virtiofsd',
  'kill-redis',
  'stop-redis',
  'redis-lost-tail',
  'cut-api',
  'cut-redis',
  'cut-store',
  'store-errors',
  'store-slow',
  'store-lost-answers',
  'store-cut-uploads',
  'store-cut-downloads',
  'store-full',
  'disk-full',
] as const;
export type FaultName = (typeof faultNames)[number];

/** For these the store is an S3 server behind proxies; without them it is a folder. */
export const needsProxiedStore = (name: FaultName): boolean =>
  name === 'cut-store' || (name.startsWith('store-') && name !== 'store-full');
