/** GET /v1/webhooks: those of the namespace, and how their deliveries go. */
import { scopeOfEvents } from '../../events/event-scope.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { listOf } from '../../schemas/list.ts';
import { viewOfWebhook, webhookView } from '../../schemas/webhook.ts';
import { readProgress } from '../../webhooks/progress.ts';
import { isWithin, listWebhooks } from '../../webhooks/webhook.ts';

export function listRoute(app: ApiApp, { registry, store }: RouteParts): void {
  app.get(
    '/v1/webhooks',
    { schema: { tags: ['events'], summary: 'Webhooks and how they go', response: { 200: listOf(webhookView) } } },
    async (request) => {
      const scope = scopeOfEvents(request);
      const webhooks = (await listWebhooks(store)).filter((webhook) => isWithin(scope, webhook));
      const items = await Promise.all(
        webhooks.map(async (webhook) => viewOfWebhook(webhook, await readProgress(registry, webhook.id))),
      );
      return { items };
    },
  );
}
