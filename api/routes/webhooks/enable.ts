/**
 * POST /v1/webhooks/{id}/enable: a disabled webhook goes on with the delivery that was given up, and with what happened
 * since, as far as it is kept. One that is not disabled stays as it is.
 */
import type { ApiApp, RouteParts } from '../../app.ts';
import { viewOfWebhook, webhookIdParams, webhookView } from '../../schemas/webhook.ts';
import { noteNewList, readProgress, writeProgress } from '../../webhooks/progress.ts';
import { getWebhook } from '../../webhooks/webhook.ts';

export function enableRoute(app: ApiApp, { registry, store }: RouteParts): void {
  app.post(
    '/v1/webhooks/:id/enable',
    {
      schema: {
        tags: ['events'],
        summary: 'Let a disabled webhook go on where it ended',
        params: webhookIdParams,
        response: { 200: webhookView },
      },
    },
    async (request) => {
      const webhook = await getWebhook(store, request.params.id);
      const progress = await readProgress(registry, webhook.id);
      if (progress?.disabled === undefined) return viewOfWebhook(webhook, progress);
      const { disabled: _reason, lastFailure: _failure, ...enabled } = progress;
      await writeProgress(registry, webhook.id, enabled);
      // Whoever leads looks at all of them again; were this lost, it would do so within minutes.
      await noteNewList(registry);
      return viewOfWebhook(webhook, enabled);
    },
  );
}
