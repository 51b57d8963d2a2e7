/** GET /v1/templates: in order of names, page by page; a namespace's own first, then those that all share. */
import { z } from 'zod';
import type { ApiApp, RouteParts } from '../../app.ts';
import { listOf, pageQuery } from '../../schemas/list.ts';
import { listTemplates } from '../../scheduler/visible-templates.ts';
import { templateView, viewOfTemplate } from '../../schemas/template.ts';

export function listRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/templates',
    {
      schema: {
        tags: ['templates'],
        summary: 'List templates',
        querystring: z.strictObject(pageQuery),
        response: { 200: listOf(templateView) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const { items, nextCursor } = await listTemplates(parts.registry, request.namespace, limit, cursor);
      return { items: items.map(viewOfTemplate), ...(nextCursor !== undefined && { nextCursor }) };
    },
  );
}
