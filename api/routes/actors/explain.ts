/** GET /v1/actors/{id}/explain: why it is in this state, what it waits for, until when, and what happens then. */
import { inPublicWords, nameOf, namespaceOf } from '../../../shared/actor/namespace.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { actorParams, explanationView } from '../../schemas/actor.ts';
import { publicError } from '../../schemas/public-error.ts';
import { explainState } from '../../scheduler/explain.ts';
import { requireActor } from './get.ts';

const eventsShown = 100;

export function explainRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/actors/:id/explain',
    {
      schema: {
        tags: ['actors'],
        summary: 'Why an actor is in its state and what happens next',
        params: actorParams,
        response: { 200: explanationView },
      },
    },
    async (request) => {
      const record = await requireActor(parts.registry, request.params.id);
      const { id, state, since, reason, deadlineAt, lastError } = record;
      const [nodes, template, events] = await Promise.all([
        parts.registry.listNodes(),
        parts.templates.of(record).catch(() => undefined), // one that is gone is part of the explanation
        parts.registry.recentEvents(id, eventsShown),
      ]);
      const namespace = namespaceOf(id);
      return {
        ...{ id: nameOf(id), namespace, state, since },
        reason: inPublicWords(reason, namespace),
        ...explainState(record, { nodes, template, parkedCalls: parts.parking.waiting(id) }),
        ...(deadlineAt !== undefined && { until: deadlineAt }),
        ...(lastError !== undefined && { lastError: publicError(lastError, namespace) }),
        events: events.map((event) => ({ ...event, reason: inPublicWords(event.reason, namespace) })),
      };
    },
  );
}
