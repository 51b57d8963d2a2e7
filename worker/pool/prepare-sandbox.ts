/** All that a template's sandbox needs before an actor's state goes into it: verified images, the golden, a waiting VMM. */
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import { openImages } from '../jobs/open-images.ts';
import { sandboxSpec } from '../jobs/start-containers.ts';
import type { NodeContext } from '../node-context.ts';
import type { PhaseClock } from '../sandbox/phase-clock.ts';
import type { PreparedSandbox } from '../sandbox/sandbox.ts';

export async function prepareSandbox(
  parts: Pick<NodeContext, 'images' | 'goldens' | 'sandboxes'>,
  template: TemplateDescriptor,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<PreparedSandbox> {
  const ready = Promise.all([
    clock.measure('images', () => openImages(parts, template, signal)),
    clock.measure('golden', () => parts.goldens.get(template.golden)),
  ]);
  ready.catch(() => undefined); // told below
  return await parts.goldens.use(template.golden, async ({ memoryPath }) => {
    const [images] = await ready;
    const spec = sandboxSpec(template.spec.name, template.spec, images, parts.images);
    return await parts.sandboxes.prepare(spec, memoryPath, clock, signal);
  });
}
