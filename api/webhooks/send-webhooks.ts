/**
 * Delivers the events to all webhooks, by one api at a time: the one that leads. It looks for new and deleted webhooks
 * every few seconds, and follows each of them by itself (follow-webhook.ts). When the leader changes, a batch under way
 * may be delivered by both.
 *
 * Failures are logged, and the next look begins again from what is noted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ApiParts } from '../parts.ts';
import { createEventFeed } from '../events/event-feed.ts';
import { defaultPausesMs } from './deliver.ts';
import { followWebhook, type FollowParts } from './follow-webhook.ts';
import { dropProgress, listVersion } from './progress.ts';
import { listWebhooks, type Webhook } from './webhook.ts';

export interface SendOptions {
  /** Names this process among those that could lead. */
  readonly holder: string;
  readonly everyMs?: number;
  readonly pausesMs?: readonly number[];
}

/** How soon a new webhook gets its first event, and how soon another process takes over from one that stops. */
const defaultEveryMs = 1000;
/** A leader that dies is followed by another one after this long. */
const leadTtlMs = 5000;
/** A change that was not noted, because its api ended before it could, is seen by then. */
const relistEveryMs = 300_000;

type Parts = Pick<ApiParts, 'registry' | 'store' | 'log' | 'meters'>;
interface Following {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  readonly isDisabled: () => boolean;
}
type Followed = Map<string, Following>;

export function startWebhooks(parts: Parts, options: SendOptions): AsyncDisposable {
  const stop = new AbortController();
  const running = run(parts, options, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new DormouseError('shutting-down', 'the api is stopping'));
      await running;
    },
  };
}

async function run(parts: Parts, options: SendOptions, stop: AbortSignal): Promise<void> {
  using feed = createEventFeed(parts.registry);
  const follow: FollowParts = { ...parts, feed, pausesMs: options.pausesMs ?? defaultPausesMs };
  const list = knownList(parts);
  const followed: Followed = new Map();
  let leads = false;
  let known: readonly Webhook[] | undefined;
  while (!stop.aborted) {
    try {
      leads = await parts.registry.lead('webhooks', options.holder, leadTtlMs);
      if (leads) {
        const webhooks = await list();
        if (webhooks !== known) leaveDisabled(followed);
        followAll(follow, webhooks, followed);
        known = webhooks;
      } else await leaveAll(followed);
    } catch (error) {
      // Without the lock nobody may say that another process does not deliver the same.
      await leaveAll(followed);
      parts.log.warn({ err: error }, 'webhooks not looked at');
    }
    await delay(options.everyMs ?? defaultEveryMs, undefined, { signal: stop }).catch(() => undefined);
  }
  await leaveAll(followed);
  if (leads) await parts.registry.lead('webhooks', options.holder, 1).catch(() => undefined);
}

/** Reads the store only when the list was changed, and now and then in case that was not noted. */
function knownList({ registry, store }: Parts): () => Promise<readonly Webhook[]> {
  let known: { readonly version: string | undefined; readonly readAt: number; readonly list: Webhook[] } | undefined;
  return async () => {
    const version = await listVersion(registry);
    const now = performance.now();
    if (known === undefined || known.version !== version || now - known.readAt > relistEveryMs) {
      known = { version, readAt: now, list: await listWebhooks(store) };
    }
    return known.list;
  };
}

function followAll(parts: FollowParts, webhooks: readonly Webhook[], followed: Followed): void {
  const wanted = new Set(webhooks.map(({ id }) => id));
  for (const [id, { stop, ended }] of followed) {
    if (wanted.has(id)) continue;
    stop.abort(new Error('the webhook is deleted'));
    // What was under way may have noted its place once more.
    void ended.then(() => dropProgress(parts.registry, id)).catch(() => undefined);
  }
  for (const webhook of webhooks)
    if (!followed.has(webhook.id)) followed.set(webhook.id, follow(parts, webhook, followed));
}

/** With a new list they may be enabled again: the next look begins them anew, which ends at once if they are not. */
function leaveDisabled(followed: Followed): void {
  for (const { stop, isDisabled } of followed.values()) {
    if (isDisabled()) stop.abort(new Error('the webhook may be enabled again'));
  }
}

function follow(parts: FollowParts, webhook: Webhook, followed: Followed): Following {
  const { id } = webhook;
  const stop = new AbortController();
  let isDisabled = false;
  const ended = followWebhook(parts, webhook, stop.signal)
    .then(() => {
      isDisabled = true;
      return stopped(stop.signal); // it stays among the followed, so that nobody begins it again
    })
    .catch((error: unknown) => {
      if (!stop.signal.aborted) parts.log.warn({ err: error, webhookId: id }, 'deliveries broke off');
    })
    .finally(() => followed.delete(id));
  return { stop, ended, isDisabled: () => isDisabled };
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function leaveAll(followed: Followed): Promise<void> {
  const all = [...followed.values()];
  for (const { stop } of all) stop.abort(new Error('this process does not deliver any more'));
  await Promise.allSettled(all.map(({ ended }) => ended));
}
