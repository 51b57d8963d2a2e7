/**
 * Opens the object store that a URL names. The driver, and with it the vendor's SDK, is loaded only when its scheme is
 * asked for. Opening touches no network and no disk: `check` does.
 */
import type { ObjectStore } from './object-store.ts';
import { defaultStoreLimits, type StoreLimits } from './store-limits.ts';
import { parseStoreUrl } from './store-url.ts';

export interface OpenStoreOptions {
  /** For S3, in place of the SDK's own sources (environment, files, the machine's identity). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly limits?: Partial<StoreLimits>;
}

export async function openObjectStore(url: string, options: OpenStoreOptions = {}): Promise<ObjectStore> {
  const target = parseStoreUrl(url);
  const limits = { ...defaultStoreLimits, ...options.limits };
  switch (target.scheme) {
    case 'file': {
      const { openFileStore } = await import('./file/driver.ts');
      return openFileStore(target, limits);
    }
    case 's3': {
      const { openS3Store } = await import('./s3/driver.ts');
      return openS3Store(target, limits, options.credentials);
    }
    case 'gs': {
      const { openGcsStore } = await import('./gcs/driver.ts');
      return openGcsStore(target, limits);
    }
  }
}
