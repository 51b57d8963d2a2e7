/** POST /v1/webhooks: from now on the address is told of events. The answer has the secret, which no other one has. */
import { randomUUID } from 'node:crypto';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import { scopeOfEvents } from '../../events/event-scope.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { viewOfWebhook, webhookSpec, webhookView } from '../../schemas/webhook.ts';
import { noteNewList, writeProgress } from '../../webhooks/progress.ts';
import { listWebhooks, maxWebhooks, newSecret, saveWebhook, secretSchema } from '../../webhooks/webhook.ts';

export function createRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/webhooks',
    {
      schema: {
        tags: ['events'],
        summary: 'Be told of events by signed POST requests',
        body: webhookSpec,
        response: { 201: webhookView.extend({ secret: secretSchema }).meta({ id: 'NewWebhook' }) },
      },
    },
    async (request, reply) => {
      const { url, events, secret = newSecret() } = request.body;
      const { registry, store } = parts;
      const scope = scopeOfEvents(request);
      const others = (await listWebhooks(store)).filter(({ namespace }) => namespace === scope.namespace);
      if (others.length >= maxWebhooks) {
        throw new DormouseError('too-many-webhooks', `there are ${maxWebhooks} webhooks already`);
      }
      const webhook = { id: randomUUID(), url, secret, events, ...scope, createdAt: new Date().toISOString() };
      // First: what happens after the answer is delivered, whenever the leader first looks.
      const progress = { place: await registry.newestEvent() };
      await writeProgress(registry, webhook.id, progress);
      await saveWebhook(store, webhook);
      await noteNewList(registry);
      return reply
        .code(201)
        .header('location', `/v1/webhooks/${webhook.id}`)
        .send({ ...viewOfWebhook(webhook, progress), secret });
    },
  );
}
