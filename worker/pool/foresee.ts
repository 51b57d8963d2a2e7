/**
 * Makes a node ready for actors that it has not seen: as soon as a template can be used, anywhere on the platform, each node
 * that could run it expects it, so that the first wake there finds image, golden and a sandbox in waiting. The pool decides
 * when (no wake is under way) and whether (memory that no actor needs), and gives it back like any other.
 *
 * A hint that is lost, or a node that starts later, costs what a first wake cost before: it fetches for itself.
 */
import { statfs } from 'node:fs/promises';
import type { RuntimeKey } from '../../shared/snapshot/manifest.ts';
import { incompatibilities } from '../../shared/snapshot/manifest.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { SandboxPool } from './pool.ts';

/** Of the disk with images and goldens. Below it what is there belongs to actors that do run here. */
const freeDiskShare = 0.1;

export interface Foresight {
  readonly registry: Pick<Registry, 'watchFleet' | 'getTemplate' | 'getNode'>;
  readonly pool: Pick<SandboxPool, 'expect'>;
  readonly nodeId: string;
  readonly runtime: RuntimeKey;
  /** On the disk with images and goldens. */
  readonly folder: string;
  readonly log: Logger;
}

export function foresee(foresight: Foresight): Disposable {
  return foresight.registry.watchFleet((change) => {
    if (change.kind !== 'template' || change.state !== 'ready') return;
    expectTemplate(foresight, change.id).catch((error: unknown) =>
      foresight.log.debug({ err: error, template: change.id }, 'a template was not foreseen'),
    );
  });
}

async function expectTemplate({ registry, pool, nodeId, runtime, folder }: Foresight, name: string): Promise<void> {
  const [template, node] = await Promise.all([registry.getTemplate(name), registry.getNode(nodeId)]);
  if (template?.state !== 'ready' || template.descriptor === undefined || node?.state !== 'ready') return;
  if (incompatibilities(template.descriptor.golden.runtime, runtime).length > 0) return;
  const { bavail, blocks } = await statfs(folder);
  if (bavail < blocks * freeDiskShare) return;
  pool.expect(template.descriptor);
}
