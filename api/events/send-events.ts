/**
 * Writes events to one reader, as server-sent events, as fast as it takes them and no faster. A reader that takes nothing
 * for too long is cut off: it may connect again and go on from its place.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { RouteParts } from '../app.ts';
import { viewOfEvent, wants, type EventFilter } from '../schemas/event.ts';
import type { Batch } from './event-feed.ts';

export interface StreamLimits {
  /** Between two signs of life. */
  readonly heartbeatMs: number;
  /** For one write to be taken. */
  readonly takeLimitMs: number;
}

/** Until the reader leaves or is too slow, the process stops, or the registry does not answer: throws why. */
export async function sendEvents(
  { feed, stopping }: Pick<RouteParts, 'feed' | 'stopping'>,
  raw: ServerResponse,
  start: string,
  filter: EventFilter,
  { heartbeatMs, takeLimitMs }: StreamLimits,
): Promise<void> {
  const left = new AbortController();
  raw.once('close', () => left.abort(new Error('the reader has left')));
  const signal = AbortSignal.any([left.signal, stopping]);
  let last = start;
  // Also carries the place past events that this reader does not want, so that it never asks for one long trimmed.
  const heartbeat = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(`id: ${last}\n\n`);
  }, heartbeatMs);
  try {
    for await (const batch of feed.follow(start, signal)) {
      const text = textOf(batch, filter);
      last = batch.next;
      if (text !== '' && !raw.write(text)) await taken(raw, signal, takeLimitMs);
    }
  } finally {
    clearInterval(heartbeat);
  }
}

function textOf({ events, next, gap }: Batch, filter: EventFilter): string {
  const wanted = events.filter((event) => wants(filter, event)).map(viewOfEvent);
  const blocks = wanted.map((event) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  if (gap) blocks.unshift(`event: gap\ndata: ${JSON.stringify({ type: 'gap', next })}\n\n`);
  return blocks.join('');
}

async function taken(raw: ServerResponse, signal: AbortSignal, takeLimitMs: number): Promise<void> {
  try {
    await once(raw, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(takeLimitMs)]) });
  } catch (cause) {
    raw.destroy();
    throw new Error('the reader takes nothing', { cause });
  }
}
