/** `dormouse webhook create|list|show|enable|test|delete`: addresses that are told of events. Needs the scope `admin`. */
import type { NewWebhook, Webhook } from '../../sdk/webhooks.ts';
import type { Command } from '../command.ts';
import { age } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export const createWebhook: Command = {
  name: 'webhook create',
  summary: 'Have events sent to an address by signed POST requests; the secret is shown this once',
  positionals: ['<url>'],
  options: {
    event: {
      type: 'string',
      short: 'e',
      multiple: true,
      value: 'type[.state]',
      help: 'e.g. actor, or template.failed; may be given several times; all events unless given',
    },
    secret: { type: 'string', value: 'whsec_…', help: 'sign with this one instead of a new one' },
  },
  example: 'dormouse webhook create https://example.com/hook --event actor.running --event node',
  async run({ client, arguments: args, terminal }) {
    const events = args.options('event');
    const spec = { url: args.required('url'), events: events.length > 0 ? events : undefined };
    showOn(terminal, await client.webhooks.create({ ...spec, secret: args.option('secret') }));
    terminal.say('the secret is not shown again');
    return 0;
  },
};

export const listWebhooks: Command = {
  name: 'webhook list',
  summary: 'List the webhooks and how their deliveries go',
  example: 'dormouse webhook list',
  async run({ client, terminal }) {
    terminal.list(await client.webhooks.list(), [
      ['WEBHOOK', (webhook) => webhook.id],
      ['STATE', (webhook) => webhook.state],
      ['DELIVERED', (webhook) => age(webhook.deliveredAt)],
      ['URL', (webhook) => webhook.url],
      ['EVENTS', (webhook) => eventsOf(webhook)],
      ['REASON', (webhook) => webhook.reason],
    ]);
    return 0;
  },
};

export const showWebhook: Command = {
  name: 'webhook show',
  summary: 'Show one webhook, with the reason when it is failing or disabled',
  positionals: ['<id>'],
  example: 'dormouse webhook show 01234567-89ab-4cde-8f01-23456789abcd',
  async run({ client, arguments: args, terminal }) {
    showOn(terminal, await client.webhooks.get(args.required('id')));
    return 0;
  },
};

export const enableWebhook: Command = {
  name: 'webhook enable',
  summary: 'Let a disabled webhook go on where it ended',
  positionals: ['<id>'],
  example: 'dormouse webhook enable 01234567-89ab-4cde-8f01-23456789abcd',
  async run({ client, arguments: args, terminal }) {
    showOn(terminal, await client.webhooks.enable(args.required('id')));
    return 0;
  },
};

export const testWebhook: Command = {
  name: 'webhook test',
  summary: 'Send one test message now; exit code 1 when the receiver does not take it',
  positionals: ['<id>'],
  example: 'dormouse webhook test 01234567-89ab-4cde-8f01-23456789abcd',
  async run({ client, arguments: args, terminal }) {
    const id = args.required('id');
    const { delivered, reason } = await client.webhooks.test(id);
    terminal.show({ id, delivered, reason }, { webhook: id, delivered, reason });
    return delivered ? 0 : 1;
  },
};

export const deleteWebhook: Command = {
  name: 'webhook delete',
  summary: 'Delete a webhook',
  positionals: ['<id>'],
  example: 'dormouse webhook delete 01234567-89ab-4cde-8f01-23456789abcd',
  async run({ client, arguments: args, terminal }) {
    const id = args.required('id');
    await client.webhooks.delete(id);
    terminal.say(`webhook ${id} is deleted`);
    return 0;
  },
};

const eventsOf = ({ events }: Webhook): string => events?.join(' ') ?? 'all';

function showOn(terminal: Terminal, webhook: Webhook | NewWebhook): void {
  const { id, url, state, createdAt, deliveredAt, reason } = webhook;
  const secret = 'secret' in webhook ? webhook.secret : undefined;
  const events = eventsOf(webhook);
  terminal.show(webhook, { webhook: id, secret, url, events, state, reason, createdAt, deliveredAt });
}
