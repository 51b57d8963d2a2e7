/** Every route about one webhook finds those alone that the caller may see: no handler has to ask whose it is. */
import type { FastifyInstance } from 'fastify';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { scopeOfEvents } from '../events/event-scope.ts';
import { findWebhook, isWithin } from '../webhooks/webhook.ts';

export function guardWebhooks(app: FastifyInstance, store: ObjectStore): void {
  // After the check of the schema: an id is a part of a key.
  app.addHook('preHandler', async (request) => {
    if (request.routeOptions.url?.startsWith('/v1/webhooks/:id') !== true) return;
    const { id } = request.params as { id: string };
    const webhook = await findWebhook(store, id);
    if (webhook !== undefined && isWithin(scopeOfEvents(request), webhook)) return;
    throw new DormouseError('webhook-not-found', `no webhook ${id}`);
  });
}
