/** GET /v1/webhooks: all of them, and how their deliveries go. */
import type { ApiApp, RouteParts } from '../../app.ts';
import { listOf } from '../../schemas/list.ts';
import { viewOfWebhook, webhookView } from '../../schemas/webhook.ts';
import { readProgress } from '../../webhooks/progress.ts';
import { listWebhooks } from '../../webhooks/webhook.ts';

export function listRoute(app: ApiApp, { registry, store }: RouteParts): void {
  app.get(
    '/v1/webhooks',
    { schema: { tags: ['events'], summary: 'Webhooks and how they go', response: { 200: listOf(webhookView) } } },
    async () => {
      const webhooks = await listWebhooks(store);
      const items = await Promise.all(
        webhooks.map(async (webhook) => viewOfWebhook(webhook, await readProgress(registry, webhook.id))),
      );
      return { items };
    },
  );
}
