/** POST /v1/templates */
import { templateSpecSchema } from '../../../shared/template/template-spec.ts';
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
        body: templateSpecSchema,
        response: { 200: templateView, 201: templateView },
      },
    },
    async (request, reply) => {
      const { record, isNew } = await applyTemplate(parts, request.body);
      void reply.code(isNew ? 201 : 200).header('location', `/v1/templates/${record.name}`);
      return viewOfTemplate(record);
    },
  );
}
