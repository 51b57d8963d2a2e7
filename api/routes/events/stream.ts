/**
 * GET /v1/events: every state change as a server-sent event, from now on or from the place that `Last-Event-ID` names.
 *
 * What is no longer kept is told by an event `gap`; then the reader must look for itself. A reader that takes nothing for
 * too long is cut off, and goes on from where it was when it connects again: nothing is buffered for it.
 */
import { z } from 'zod';
import { toDormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { sendEvents } from '../../events/send-events.ts';
import { scopeOfEvents } from '../../events/event-scope.ts';
import { requestIdHeader } from '../../http/request-id.ts';
import { actorIdSchema } from '../../../shared/actor/names.ts';
import { eventTypeSchema, eventView } from '../../schemas/event.ts';

/** Proxies take a silent connection for dead after half a minute or more; who has not taken one write by then has gone. */
const streamLimits = { heartbeatMs: 15_000, takeLimitMs: 30_000 };

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
        await sendEvents(parts, raw, start, { ...scopeOfEvents(request), actor, types }, streamLimits);
      } catch (error) {
        request.log.debug({ reason: toDormouseError(error).message }, 'event stream ended');
      } finally {
        raw.end();
      }
    },
  );
}
