/** From a template to what a sandbox needs: the lowers to attach and the containers to start. */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ContainerSpec, TemplateSpec } from '../../shared/template/template-spec.ts';
import type { ImageStore, PreparedImage } from '../images/image-store.ts';
import { ociRuntimeConfig } from '../images/runtime-config.ts';
import type { ContainerStart, Lower, SandboxSpec } from '../sandbox/sandbox.ts';

/** A container that is not ready by then is not going to be. */
export const startLimitMs = 30_000;
/** A writable layer may take half of the guest's memory unless the template says otherwise. */
const defaultUpperShare = 0.5;

/** Images by container name. */
export type ImagesByContainer = ReadonlyMap<string, PreparedImage>;

export function sandboxSpec(
  label: string,
  spec: TemplateSpec,
  images: ImagesByContainer,
  store: ImageStore,
): SandboxSpec {
  const lowers = spec.containers.map((container): Lower => {
    const image = imageOf(images, container);
    return { container: container.name, attach: (sharedFolder) => store.attach(image, sharedFolder, container.name) };
  });
  return { label, memoryMiB: spec.memoryMiB, vcpus: spec.vcpus, egress: spec.egress, lowers };
}

export const containerStarts = (spec: TemplateSpec, images: ImagesByContainer): Promise<ContainerStart[]> =>
  Promise.all(
    spec.containers.map(async (container) => {
      const probe = probeOf(container);
      return {
        name: container.name,
        config: await ociRuntimeConfig(container, imageOf(images, container)),
        upperSizeBytes: Math.floor((container.upperMiB ?? spec.memoryMiB * defaultUpperShare) * 1024 * 1024),
        ...(probe !== undefined && { probe }),
      };
    }),
  );

/** A container that names a port is ready when the port answers. */
function probeOf({ readiness, port }: ContainerSpec): ContainerStart['probe'] {
  const probed = readiness?.port ?? port;
  if (probed === undefined) return undefined;
  const intervalMs = readiness?.intervalMs ?? 100;
  return readiness?.path === undefined
    ? { port: probed, intervalMs }
    : { port: probed, intervalMs, path: readiness.path };
}

function imageOf(images: ImagesByContainer, container: ContainerSpec): PreparedImage {
  const image = images.get(container.name);
  if (image === undefined) throw new DormouseError('internal', `no image was prepared for container ${container.name}`);
  return image;
}
