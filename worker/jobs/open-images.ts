/** A template's images on this node, checked to be the very trees that its snapshots were taken on. */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import type { NodeContext } from '../node-context.ts';
import type { ImagesByContainer } from './start-containers.ts';

/** Opens every image (pulling those this node lacks) and verifies that nobody changed its tree. */
export async function openImages(
  { images }: Pick<NodeContext, 'images'>,
  template: TemplateDescriptor,
  signal: AbortSignal,
): Promise<ImagesByContainer> {
  const opened = await Promise.all(
    Object.entries(template.images).map(async ([container, pinned]) => {
      const image = await images.open(pinned, { signal });
      await images.verify(image, signal);
      return [container, image] as const;
    }),
  );
  return new Map(opened);
}

/** Throws `lower-mismatch` unless each container's lower has the digest the snapshot recorded. */
export function requireLowers(
  lowers: Readonly<Record<string, string>>,
  images: ImagesByContainer,
  nodeId: string,
): void {
  for (const [container, expected] of Object.entries(lowers)) {
    const image = images.get(container);
    if (image?.treeDigest === expected) continue;
    throw new DormouseError(
      'lower-mismatch',
      `the root file system of container ${container} on ${nodeId} is not the one the snapshot was taken on`,
      {
        details: { container, node: nodeId, expected, actual: image?.treeDigest, path: image?.rootPath },
      },
    );
  }
}
