/** Images for simulated sandboxes: a reference stands for itself, and nothing is pulled, unpacked or mounted. */
import { createHash } from 'node:crypto';
import type { ImageStore, PreparedImage } from '../../images/image-store.ts';

/** `rootPath` is a folder that exists and holds no root: whoever looks for users in it finds none. */
export function simulatedImages(rootPath: string): ImageStore {
  const known = new Map<string, PreparedImage>();
  const imageOf = (reference: string): PreparedImage => {
    const before = known.get(reference);
    if (before !== undefined) return before;
    const digest = createHash('sha256').update(`simulated ${reference}`).digest('hex');
    const config = { entrypoint: ['/simulated'], cmd: [], env: {}, user: '', workingDir: '' };
    const image = { reference, digest: `sha256:${digest}`, rootPath, treeDigest: digest, config };
    known.set(reference, image);
    return image;
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
