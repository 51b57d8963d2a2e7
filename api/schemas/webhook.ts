/** Webhooks as the API shows and takes them. A secret is shown once, to whoever makes the webhook. */
import { z } from 'zod';
import { secretSchema, subscriptionSchema, type Webhook, type WebhookProgress } from '../webhooks/webhook.ts';

export const webhookSpec = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .refine((url) => !hasCredentials(url), 'no user name or password: receivers check the signature')
      .meta({ description: 'Gets a POST for each event; redirects are not followed' }),
    secret: secretSchema.optional().meta({ description: '`whsec_` and base64; made up when left out' }),
    events: z
      .array(subscriptionSchema)
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'As `actor`, or `actor.running`; every event when left out' }),
  })
  .meta({ id: 'WebhookSpec' });

function hasCredentials(url: string): boolean {
  const { username, password } = URL.parse(url) ?? {};
  return Boolean(username) || Boolean(password);
}

export const webhookView = z
  .object({
    id: z.uuid(),
    url: z.string(),
    namespace: z.string().optional().meta({ description: 'Whose events it is told; of all of them when absent' }),
    events: z.array(z.string()).optional(),
    createdAt: z.string(),
    state: z.enum(['active', 'failing', 'disabled']),
    deliveredAt: z.string().optional().meta({ description: 'When the last batch of events had been delivered' }),
    reason: z.string().optional().meta({ description: 'Why it is failing or disabled' }),
  })
  .meta({ id: 'Webhook', description: 'Who is told of events, and how that goes' });

export const webhookIdParams = z.object({ id: z.uuid() });

export const webhookTestView = z
  .object({
    delivered: z.boolean(),
    reason: z.string().optional().meta({ description: 'Why the receiver did not take it' }),
  })
  .meta({ id: 'WebhookTest', description: 'What became of a message that was sent as a test' });

export function viewOfWebhook(
  { id, url, namespace, events, createdAt }: Webhook,
  progress: WebhookProgress | undefined,
): z.infer<typeof webhookView> {
  const { disabled, lastFailure, deliveredAt } = progress ?? {};
  const state = disabled !== undefined ? 'disabled' : lastFailure !== undefined ? 'failing' : 'active';
  return { id, url, namespace, events, createdAt, state, deliveredAt, reason: disabled?.reason ?? lastFailure };
}
