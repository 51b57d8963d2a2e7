/** Images for simulated sandboxes: a reference stands for itself, and nothing is pulled, unpacked or mounted. */
import { createHash } from 'node:crypto';
import type { ImageStore, PreparedImage } from '../../images/image-store.ts';

/** `rootPath` is a folder that exists and holds no root: whoever looks for users in it finds none. */
export function simulatedImages(rootPath: string): ImageStore {
  const imageOf = (reference: string): PreparedImage => {
    const digest = createHash('sha256').update(`simulated ${reference}`).digest('hex');
    const config = { entrypoint: ['/simulated'], cmd: [], env: {}, user: '', workingDir: '' };
    return { reference, digest: `sha256:${digest}`, rootPath, treeDigest: digest, config };
  };
  const nothing = { [Symbol.asyncDispose]: () => Promise.resolve() };
  return {
    prepare: (reference) => Promise.resolve(imageOf(reference)),
    open: ({ reference }) => Promise.resolve(imageOf(reference)),
    verify: () => Promise.resolve(),
    attach: () => Promise.resolve(nothing),
    sweep: () => Promise.resolve([]),
    ...nothing,
  };
}
