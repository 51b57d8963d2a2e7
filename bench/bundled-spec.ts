/** What a bundled template is made of. Failure: `internal`, it was not built. */
import { builtTemplates } from '../infra/stack/bundled-templates.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import type { TemplateSpec } from '../shared/template/template-spec.ts';
import type { TemplateName } from './config.ts';

export async function bundledSpec(template: TemplateName): Promise<TemplateSpec> {
  const spec = (await builtTemplates([template]))[template]?.spec;
  if (spec === undefined) throw new DormouseError('internal', `the bundled template ${template} was not built`);
  return spec;
}
