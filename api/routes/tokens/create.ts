/** POST /v1/tokens: durable when it answers, and the only time that the token is told. */
import { createStoredToken, type StoredToken } from '../../../shared/access/stored-tokens.ts';
import { drawToken } from '../../../shared/access/token-text.ts';
import { announceToken } from '../../access/announce-token.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { newTokenView, tokenSpecSchema, viewOfToken } from '../../schemas/token.ts';

const withBurst = ({ perSecond, burst = Math.ceil(perSecond) }: { perSecond: number; burst?: number | undefined }) => ({
  perSecond,
  burst,
});

export function createRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/tokens',
    {
      schema: {
        tags: ['tokens'],
        summary: 'Make a token',
        body: tokenSpecSchema,
        response: { 201: newTokenView },
      },
    },
    async (request, reply) => {
      const { name, scopes, rateLimit, namespace, expiresAt } = request.body;
      const { id, text, secretSha256 } = drawToken();
      const token: StoredToken = {
        ...{ formatVersion: namespace === undefined ? 1 : 2, id, name, scopes },
        ...{ createdAt: new Date().toISOString(), secretSha256 },
        ...(namespace !== undefined && { namespace }),
        ...(rateLimit !== undefined && { rateLimit: withBurst(rateLimit) }),
        ...(expiresAt !== undefined && { expiresAt }),
      };
      await createStoredToken(parts.store, token);
      await announceToken(parts, id, 'created');
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...viewOfToken(token), token: text });
    },
  );
}
