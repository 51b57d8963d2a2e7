/** DELETE /v1/webhooks/{id}: nothing more is delivered, but for what is on its way. */
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import { objectKeys } from '../../../shared/snapshot/object-keys.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { webhookIdParams } from '../../schemas/webhook.ts';
import { dropProgress, noteNewList } from '../../webhooks/progress.ts';

export function deleteRoute(app: ApiApp, { registry, store }: RouteParts): void {
  app.delete(
    '/v1/webhooks/:id',
    {
      schema: {
        tags: ['events'],
        summary: 'Delete a webhook',
        params: webhookIdParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const key = objectKeys.webhook(id);
      if ((await store.head(key)) === undefined) throw new DormouseError('webhook-not-found', `no webhook ${id}`);
      await store.delete(key);
      await dropProgress(registry, id);
      await noteNewList(registry);
      return reply.code(204).send(null);
    },
  );
}
