/** GET /v1/actors: in order of ids, filtered, page by page. */
import { z } from 'zod';
import { templateNameSchema } from '../../../shared/actor/names.ts';
import { everyNamespace } from '../../access/namespace.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { actorStateSchema, actorView, viewOfActor } from '../../schemas/actor.ts';
import { listOf, pageQuery } from '../../schemas/list.ts';

const querySchema = z.strictObject({
  state: actorStateSchema.optional(),
  template: templateNameSchema.optional(),
  label: z.string().min(1).max(128).optional().meta({ description: '`name=value`, or `name` for any value' }),
  prefix: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'the beginning of an id')
    .optional()
    .meta({ description: 'What the id begins with' }),
  ...pageQuery,
});

export function listRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/actors',
    {
      schema: {
        tags: ['actors'],
        summary: 'List actors',
        querystring: querySchema,
        response: { 200: listOf(actorView) },
      },
    },
    async (request) => {
      const { limit, cursor, ...wanted } = request.query;
      const namespace = request.namespace === everyNamespace ? undefined : request.namespace;
      const filter = { ...wanted, namespace };
      const { items, nextCursor } = await parts.registry.listActors(filter, limit, cursor);
      return { items: items.map(viewOfActor), ...(nextCursor !== undefined && { nextCursor }) };
    },
  );
}
