/** GET /v1/tokens: those that are not revoked, in order of ids, page by page. */
import { z } from 'zod';
import { listStoredTokens } from '../../../shared/access/stored-tokens.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { listOf, pageQuery } from '../../schemas/list.ts';
import { tokenView, viewOfToken } from '../../schemas/token.ts';

export function listRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/tokens',
    {
      schema: {
        tags: ['tokens'],
        summary: 'List tokens',
        querystring: z.strictObject(pageQuery),
        response: { 200: listOf(tokenView) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const found = await listStoredTokens(parts.store, limit + 1, cursor);
      const items = found.slice(0, limit).map(viewOfToken);
      const last = items.at(-1);
      return { items, ...(found.length > limit && last !== undefined && { nextCursor: last.id }) };
    },
  );
}
