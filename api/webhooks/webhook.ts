/**
 * Webhooks as they are kept: each is an object in the store, which holds what a user was told is durable, and a note in
 * Redis on how far its deliveries have come. Without the note, after Redis was emptied, deliveries go on from now.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ObjectStore } from '../../shared/object-store/object-store.ts';
import { eventTypes, type PlatformEvent } from '../../shared/registry/records.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import { namespaceSchema } from '../../shared/actor/namespace.ts';
import { mayHear, type EventScope } from '../schemas/event.ts';

/** Of one namespace. Each costs a reader of the stream and an object that is read whenever the list changes. */
export const maxWebhooks = 32;
/** A few fields and an address. */
const maxRecordBytes = 16 * 1024;

/** Base64 of 24 to 64 bytes, as standardwebhooks.com has it. */
export const secretSchema = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'whsec_ and 24 to 64 bytes in base64')
  .refine((secret) => keyOf(secret).length >= 24 && keyOf(secret).length <= 64, '24 to 64 bytes');

/** `actor`, or `actor.running` for one state alone. */
export const subscriptionSchema = z
  .string()
  .regex(new RegExp(`^(${eventTypes.join('|')})(\\.[a-z]{1,20})?$`), 'actor, template or node, perhaps with .<state>');

export const webhookSchema = z.object({
  id: z.uuid(),
  url: z.url(),
  secret: secretSchema,
  /** Absent: every event. */
  events: z.array(subscriptionSchema).optional(),
  /** Absent: of every namespace. */
  namespace: namespaceSchema.optional(),
  /** Whether it is told of nodes too: not when a token made it that is bound to a namespace. */
  nodes: z.boolean().default(true),
  createdAt: z.iso.datetime(),
});
export type Webhook = z.infer<typeof webhookSchema>;

export const webhookProgressSchema = z.object({
  /** Everything up to this place in the stream of events is delivered. */
  place: z.string(),
  deliveredAt: z.iso.datetime().optional(),
  /** Of the attempts since the last delivery that succeeded. */
  lastFailure: z.string().optional(),
  /** Nothing is delivered any more. */
  disabled: z.object({ at: z.iso.datetime(), reason: z.string() }).optional(),
});
export type WebhookProgress = z.infer<typeof webhookProgressSchema>;

export const keyOf = (secret: string): Buffer => Buffer.from(secret.slice('whsec_'.length), 'base64');
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

export const typeOf = ({ type, to }: Pick<PlatformEvent, 'type' | 'to'>): string => `${type}.${to}`;

export function subscribes(webhook: Pick<Webhook, 'events' | 'namespace' | 'nodes'>, event: PlatformEvent): boolean {
  const { events } = webhook;
  if (!mayHear(webhook, event)) return false;
  return events === undefined || events.includes(event.type) || events.includes(typeOf(event));
}

/** Those that are seen and deleted in the scope. One of every namespace is the platform's, as nodes are. */
export const isWithin = ({ namespace, nodes }: EventScope, webhook: Pick<Webhook, 'namespace'>): boolean =>
  namespace === undefined || webhook.namespace === namespace || (webhook.namespace === undefined && nodes);

export async function saveWebhook(store: ObjectStore, webhook: Webhook): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(webhook));
  await store.create(objectKeys.webhook(webhook.id), { kind: 'bytes', bytes });
}

/** Oldest first. What is no record of this version is passed over. */
export async function listWebhooks(store: ObjectStore): Promise<Webhook[]> {
  const webhooks: Webhook[] = [];
  for await (const { key } of store.list(objectKeys.webhooks)) {
    const webhook = await readWebhook(store, key);
    if (webhook !== undefined) webhooks.push(webhook);
  }
  return webhooks.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}

/** Throws `webhook-not-found`. */
export async function getWebhook(store: ObjectStore, id: string): Promise<Webhook> {
  const key = objectKeys.webhook(id);
  const webhook = (await store.head(key)) === undefined ? undefined : await readWebhook(store, key);
  if (webhook === undefined) throw new DormouseError('webhook-not-found', `no webhook ${id}`);
  return webhook;
}

async function readWebhook(store: ObjectStore, key: string): Promise<Webhook | undefined> {
  try {
    const bytes = await store.get(key, { maxBytes: maxRecordBytes });
    return webhookSchema.safeParse(JSON.parse(bytes.toString())).data;
  } catch (error) {
    if (error instanceof SyntaxError || (await store.head(key)) === undefined) return undefined; // deleted meanwhile
    throw error;
  }
}

/** Undefined when there is none. */
export const findWebhook = (store: ObjectStore, id: string): Promise<Webhook | undefined> =>
  readWebhook(store, objectKeys.webhook(id));
