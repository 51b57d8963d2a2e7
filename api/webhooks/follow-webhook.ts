/**
 * The deliveries of one webhook, from where they had come: a batch of events at a time, those of one actor (template,
 * node) in order, different ones beside each other. The place moves on when all of a batch is delivered, so that after a
 * crash the rest of it comes again: at least once. What is no longer in the stream is told as a `gap`.
 *
 *   following ─► a delivery is given up ─► disabled, with the reason ─► enabled by a user: following, from that delivery on
 */
import type { PlatformEvent } from '../../shared/registry/records.ts';
import { inLanes } from '../../shared/process/lanes.ts';
import type { Batch, EventFeed } from '../events/event-feed.ts';
import type { ApiParts } from '../parts.ts';
import { viewOfEvent } from '../schemas/event.ts';
import { deliver, type Delivery, type Message } from './deliver.ts';
import { readProgress, writeProgress } from './progress.ts';
import { subscribes, typeOf, type Webhook, type WebhookProgress } from './webhook.ts';

/** Requests to one receiver at once. */
const laneCount = 8;

export interface FollowParts extends Pick<ApiParts, 'registry' | 'log' | 'meters'> {
  readonly feed: EventFeed;
  readonly pausesMs: readonly number[];
}

/** Ends when the webhook is disabled; throws the signal's reason, or what the registry failed with. */
export async function followWebhook(parts: FollowParts, webhook: Webhook, signal: AbortSignal): Promise<void> {
  let progress = await startOf(parts, webhook);
  if (progress.disabled !== undefined) return;
  for await (const batch of parts.feed.follow(progress.place, signal)) {
    const reason = await deliverBatch(parts, webhook, batch, progress, signal);
    progress = ended(progress, batch, reason, batch.gap || batch.events.some((event) => subscribes(webhook, event)));
    await writeProgress(parts.registry, webhook.id, progress);
    if (reason === undefined) continue;
    parts.log.warn({ webhookId: webhook.id, reason }, 'webhook disabled');
    return;
  }
}

async function startOf({ registry }: FollowParts, { id }: Webhook): Promise<WebhookProgress> {
  const known = await readProgress(registry, id);
  if (known !== undefined) return known;
  const fresh = { place: await registry.newestEvent() };
  await writeProgress(registry, id, fresh);
  return fresh;
}

function ended(before: WebhookProgress, batch: Batch, reason: string | undefined, sent: boolean): WebhookProgress {
  const now = new Date().toISOString();
  const { place, deliveredAt } = before;
  const last = sent && reason === undefined ? now : deliveredAt;
  return {
    place: reason === undefined ? batch.next : place,
    ...(last !== undefined && { deliveredAt: last }),
    ...(reason !== undefined && { disabled: { at: now, reason } }),
  };
}

/** Undefined when all of it was delivered, otherwise why not. */
async function deliverBatch(
  parts: FollowParts,
  webhook: Webhook,
  batch: Batch,
  progress: WebhookProgress,
  signal: AbortSignal,
): Promise<string | undefined> {
  let reason: string | undefined;
  const stopped = new AbortController();
  const onFailure = (lastFailure: string): Promise<void> =>
    writeProgress(parts.registry, webhook.id, { ...progress, lastFailure });
  const send = async (message: Message): Promise<boolean> => {
    const options = { signal: AbortSignal.any([signal, stopped.signal]), pausesMs: parts.pausesMs, onFailure };
    const delivery = await deliver(webhook, message, options);
    count(parts, delivery);
    if (delivery.outcome === 'given-up') {
      reason ??= delivery.reason;
      stopped.abort();
    }
    return delivery.outcome === 'delivered';
  };
  if (batch.gap && !(await send(gapMessage(batch)))) return reason;
  try {
    await inLanes(ReadableStream.from(inOrder(webhook, batch.events)), laneCount, async (events) => {
      for (const event of events) if (stopped.signal.aborted || !(await send(messageOf(event)))) return;
    });
  } catch (error) {
    if (reason === undefined) throw error; // the others only stopped because one was given up
  }
  return reason;
}

function count({ meters }: FollowParts, { outcome }: Delivery): void {
  meters.count('dormouse_webhook_messages_total', { outcome });
}

/** The wanted events by what they are about, each list in the order of the stream. */
function inOrder(webhook: Webhook, events: readonly PlatformEvent[]): Iterable<readonly PlatformEvent[]> {
  const wanted = events.filter((event) => subscribes(webhook, event));
  return Map.groupBy(wanted, ({ type, subject }) => `${type} ${subject}`).values();
}

const messageOf = (event: PlatformEvent): Message => ({
  id: `evt_${event.id}`,
  body: JSON.stringify({ type: typeOf(event), timestamp: event.at, data: viewOfEvent(event) }),
});

const gapMessage = ({ next }: Batch): Message => ({
  id: `gap_${next}`,
  body: JSON.stringify({ type: 'gap', timestamp: new Date().toISOString(), data: { type: 'gap', next } }),
});
