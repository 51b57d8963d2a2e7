/** Where snapshot parts are kept, and the keys that they are encrypted with. */
import type { KeyRing } from '../../shared/encryption/key-ring.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';

export interface SnapshotBlobs {
  readonly store: ObjectStore;
  /** Empty: new parts are stored as they are, and encrypted ones cannot be read. */
  readonly keyRing: KeyRing;
}
