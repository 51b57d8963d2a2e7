/** DELETE /v1/tokens/{id}: durable when it answers; every process stops honouring the token within seconds. */
import { z } from 'zod';
import { readStoredToken, revokeStoredToken } from '../../../shared/access/stored-tokens.ts';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import { announceToken } from '../../access/announce-token.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { tokenIdSchema } from '../../schemas/token.ts';

export function revokeRoute(app: ApiApp, parts: RouteParts): void {
  app.delete(
    '/v1/tokens/:id',
    {
      schema: {
        tags: ['tokens'],
        summary: 'Revoke a token',
        params: z.object({ id: tokenIdSchema }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const token = await readStoredToken(parts.store, id);
      if (token === undefined || token.revokedAt !== undefined) {
        throw new DormouseError('token-not-found', `no token ${id}`);
      }
      await revokeStoredToken(parts.store, token);
      await announceToken(parts, id, 'revoked');
      return reply.code(204).send(null);
    },
  );
}
