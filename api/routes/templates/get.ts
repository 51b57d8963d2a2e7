/** GET /v1/templates/{name} */
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { findTemplate } from '../../scheduler/visible-templates.ts';
import { templateParams, templateView, viewOfTemplate } from '../../schemas/template.ts';

export function getRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/templates/:name',
    {
      schema: {
        tags: ['templates'],
        summary: 'A template and how far it is',
        params: templateParams,
        response: { 200: templateView },
      },
    },
    async (request) => {
      const { name } = request.params;
      const record = await findTemplate(parts.registry, request.namespace, name);
      if (record === undefined) throw new DormouseError('template-not-found', `no template ${name}`);
      return viewOfTemplate(record);
    },
  );
}
