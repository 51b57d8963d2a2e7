/** GET /v1/webhooks/{id}: one of them, and how its deliveries go. */
import type { ApiApp, RouteParts } from '../../app.ts';
import { viewOfWebhook, webhookIdParams, webhookView } from '../../schemas/webhook.ts';
import { readProgress } from '../../webhooks/progress.ts';
import { getWebhook } from '../../webhooks/webhook.ts';

export function getRoute(app: ApiApp, { registry, store }: RouteParts): void {
  app.get(
    '/v1/webhooks/:id',
    {
      schema: {
        tags: ['events'],
        summary: 'One webhook and how it goes',
        params: webhookIdParams,
        response: { 200: webhookView },
      },
    },
    async (request) => {
      const webhook = await getWebhook(store, request.params.id);
      return viewOfWebhook(webhook, await readProgress(registry, webhook.id));
    },
  );
}
