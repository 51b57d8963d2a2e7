/** POST /v1/templates */
import { postedTemplateSchema } from '../../../shared/template/template-spec.ts';
import { qualify } from '../../../shared/actor/namespace.ts';
import { requireWithinReach } from '../../access/template-reach.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { templateView, viewOfTemplate } from '../../schemas/template.ts';
import { applyTemplate } from '../../scheduler/apply-template.ts';

export function applyRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/templates',
    {
      schema: {
        tags: ['templates'],
        summary: 'Apply a template; the same one again changes nothing',
        body: postedTemplateSchema,
        response: { 200: templateView, 201: templateView },
      },
    },
    async (request, reply) => {
      const { name } = request.body;
      requireWithinReach(request.caller, request.body);
      const spec = { ...request.body, name: qualify(request.namespace, name) };
      const { record, isNew } = await applyTemplate(parts, spec);
      void reply.code(isNew ? 201 : 200).header('location', `/v1/templates/${name}`);
      return viewOfTemplate(record);
    },
  );
}
