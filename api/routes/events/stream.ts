/**
 * GET /v1/events: every state change as a server-sent event, from now on or from the place that `Last-Event-ID` names.
 *
 * What is no longer kept is told by an event `gap`; then the reader must look for itself. A reader that takes nothing for
 * too long is cut off, and goes on from where it was when it connects again: nothing is buffered for it.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { toDormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import type { Batch } from '../../events/event-feed.ts';
import { requestIdHeader } from '../../http/request-id.ts';
import { actorIdSchema } from '../../../shared/actor/names.ts';
import { eventTypeSchema, eventView, viewOfEvent, wants, type EventFilter } from '../../schemas/event.ts';

/** Proxies take a silent connection for dead after half a minute or more. */
const heartbeatMs = 15_000;
/** A reader that has not taken one write by then has gone, or is too slow to be of use. */
const takeLimitMs = 30_000;

const place = z.string().regex(/^\d{1,20}-\d{1,20}$/, 'the id of an event, as `1700000000000-0`');
const query = z.object({
  actor: actorIdSchema.optional().meta({ description: 'Only events of this actor' }),
  type: z
    .union([eventTypeSchema, z.array(eventTypeSchema)])
    .optional()
    .meta({ description: 'Only events of this type; may be repeated' }),
  after: place.optional().meta({ description: 'As Last-Event-ID, for clients that cannot send it; 0-0: all there is' }),
});
const headers = z.object({
  'last-event-id': place.optional().meta({ description: 'Go on after this event; 0-0: from the oldest that is kept' }),
});

export function streamRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/events',
    {
      schema: {
        tags: ['events'],
        summary: 'Every state change, as server-sent events',
        querystring: query,
        headers,
        response: {
          200: { description: 'Events; the data of each', content: { 'text/event-stream': { schema: eventView } } },
        },
      },
    },
    async (request, reply) => {
      const { actor, type, after } = request.query;
      // Before the headers: a registry that does not answer is told with a status.
      const start = request.headers['last-event-id'] ?? after ?? (await parts.registry.newestEvent());
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no', // nginx would hold events back
        [requestIdHeader]: request.id,
      });
      raw.write(`id: ${start}\n\n`);
      const types = type === undefined ? undefined : [type].flat();
      try {
        await sendEvents(parts, raw, start, { actor, types });
      } catch (error) {
        request.log.debug({ reason: toDormouseError(error).message }, 'event stream ended');
      } finally {
        raw.end();
      }
    },
  );
}

/** Until the reader leaves or is too slow, the process stops, or the registry does not answer: throws why. */
async function sendEvents(
  { feed, stopping }: RouteParts,
  raw: ServerResponse,
  start: string,
  filter: EventFilter,
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
      if (text !== '' && !raw.write(text)) await taken(raw, signal);
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

async function taken(raw: ServerResponse, signal: AbortSignal): Promise<void> {
  try {
    await once(raw, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(takeLimitMs)]) });
  } catch (cause) {
    raw.destroy();
    throw new Error('the reader takes nothing', { cause });
  }
}
