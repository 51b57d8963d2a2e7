/** For tests: a driver whose network fails, as the conformance suites need to know it. */
import type { IncomingMessage } from 'node:http';
import type { ObjectStore } from './object-store.ts';
import type { StoreLimits } from './store-limits.ts';

export interface NetworkSubject {
  readonly name: string;
  /** The real server. */
  readonly endpoint: string;
  /** Opens the store with the server at another address. */
  openAt(endpoint: string, limits: StoreLimits): Promise<ObjectStore>;
  /** Whether a request makes an object visible. */
  isCommit(request: IncomingMessage): boolean;
  /** Whether a request reads an object's content. */
  isDownload(request: IncomingMessage): boolean;
  /** Whether a request lists objects. */
  isListing(request: IncomingMessage): boolean;
}
