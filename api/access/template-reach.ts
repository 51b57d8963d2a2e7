/**
 * What a template of somebody who is bound to a namespace may not have, because it reaches beyond its own virtual machine:
 * images in folders of a node, and a way into networks, where Redis and the store may listen. Whoever is bound to none may
 * apply such a template in that namespace for them. Failure: `forbidden`.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { TemplateSpec } from '../../shared/template/template-spec.ts';
import type { Caller } from './namespace.ts';

const inFolder = /^(oci|dir):/;

export function requireWithinReach(
  caller: Caller | undefined,
  { containers, egress }: Pick<TemplateSpec, 'containers' | 'egress'>,
): void {
  if (caller?.boundTo === undefined) return;
  const local = containers.find(({ image }) => inFolder.test(image));
  const what = local !== undefined ? `the image ${local.image}` : egress.allow.length > 0 ? 'egress' : undefined;
  if (what === undefined) return;
  throw new DormouseError('forbidden', `${what} takes a token that is bound to no namespace`);
}
