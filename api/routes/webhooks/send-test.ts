/**
 * POST /v1/webhooks/{id}/test: one signed message of type `test`, sent once and at once, so that whoever sets up a
 * receiver sees whether it is reached and verifies signatures. It changes nothing about the webhook.
 */
import { randomUUID } from 'node:crypto';
import type { ApiApp, RouteParts } from '../../app.ts';
import { webhookIdParams, webhookTestView } from '../../schemas/webhook.ts';
import { attemptOnce } from '../../webhooks/deliver.ts';
import { getWebhook } from '../../webhooks/webhook.ts';

export function sendTestRoute(app: ApiApp, { store, stopping }: RouteParts): void {
  app.post(
    '/v1/webhooks/:id/test',
    {
      schema: {
        tags: ['events'],
        summary: 'Send a test message to a webhook',
        params: webhookIdParams,
        response: { 200: webhookTestView },
      },
    },
    async (request) => {
      const webhook = await getWebhook(store, request.params.id);
      const body = JSON.stringify({ type: 'test', timestamp: new Date().toISOString(), data: { webhook: webhook.id } });
      const reason = await attemptOnce(webhook, { id: `test_${randomUUID()}`, body }, stopping);
      return { delivered: reason === undefined, ...(reason !== undefined && { reason }) };
    },
  );
}
