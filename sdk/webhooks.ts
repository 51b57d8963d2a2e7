/** Webhooks: addresses that are told of events by signed POST requests. Only an `admin` sees or changes them. */
import type { NewWebhook, Webhook, WebhookSpec, WebhookTest } from './generated/api.ts';
import { segment } from './request-path.ts';
import type { CallOptions, ChangeOptions, Transport } from './transport.ts';

export type { NewWebhook, Webhook, WebhookSpec, WebhookTest };

export interface Webhooks {
  /** The only answer that has the secret which the messages are signed with. */
  create(spec: WebhookSpec, options?: ChangeOptions): Promise<NewWebhook>;
  list(options?: CallOptions): Promise<readonly Webhook[]>;
  get(id: string, options?: CallOptions): Promise<Webhook>;
  /** One that was disabled goes on where it ended; any other stays as it is. */
  enable(id: string, options?: CallOptions): Promise<Webhook>;
  /** Sends one message now, and says whether it was taken. */
  test(id: string, options?: CallOptions): Promise<WebhookTest>;
  delete(id: string, options?: CallOptions): Promise<void>;
}

export function webhooksOf(transport: Transport): Webhooks {
  const pathOf = (id: string): string => `/v1/webhooks/${segment(id)}`;
  return {
    // Once: the secret of its answer is not kept to repeat it.
    create: async (spec, options = {}) =>
      (await transport.json({
        method: 'POST',
        path: '/v1/webhooks',
        body: spec,
        once: true,
        ...options,
      })) as NewWebhook,
    list: async (options = {}) => {
      const answer = await transport.json({ method: 'GET', path: '/v1/webhooks', ...options });
      return (answer as { readonly items: readonly Webhook[] }).items;
    },
    get: async (id, options = {}) => (await transport.json({ method: 'GET', path: pathOf(id), ...options })) as Webhook,
    enable: async (id, options = {}) =>
      (await transport.json({ method: 'POST', path: `${pathOf(id)}/enable`, ...options })) as Webhook,
    test: async (id, options = {}) =>
      (await transport.json({ method: 'POST', path: `${pathOf(id)}/test`, once: true, ...options })) as WebhookTest,
    delete: async (id, options = {}) => {
      await transport.json({ method: 'DELETE', path: pathOf(id), ...options });
    },
  };
}
