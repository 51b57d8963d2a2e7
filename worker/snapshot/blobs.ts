/** Where snapshot parts are kept, and the keys that they are encrypted with. */
import type { KeyRing } from '../../shared/encryption/key-ring.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import type { PartCache } from './part-cache.ts';

export interface SnapshotBlobs {
  readonly store: ObjectStore;
  /** Empty: new parts are stored as they are, and encrypted ones cannot be read. */
  readonly keyRing: KeyRing;
  /** Parts that were shipped or fetched a while ago. */
  readonly cache?: PartCache;
}
