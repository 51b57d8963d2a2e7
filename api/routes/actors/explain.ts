/** GET /v1/actors/{id}/explain: why it is in this state, what it waits for, until when, and what happens then. */
import type { ActorState } from '../../../shared/actor/lifecycle.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { actorParams, explanationView } from '../../schemas/actor.ts';
import { requireActor } from './get.ts';

const eventsShown = 100;

/** What moves the actor out of the state, and what happens when that does not come. */
const prospects: Readonly<Record<ActorState, { readonly waitsFor: string; readonly then: string }>> = {
  suspended: { waitsFor: 'a call, or a resume', then: 'a node with room loads its newest generation' },
  resuming: { waitsFor: 'its node, which loads it', then: 'it falls back to its newest generation and sleeps' },
  running: { waitsFor: 'calls; without any it goes to sleep', then: 'its node suspends it' },
  pausing: { waitsFor: 'its node, which captures it', then: 'it falls back to its newest generation and sleeps' },
  paused: { waitsFor: 'a call, a resume or a suspend', then: 'it runs on from the capture on its node' },
  suspending: {
    waitsFor: 'its node, which commits a generation',
    then: 'it falls back to its newest generation and sleeps',
  },
  failed: { waitsFor: 'somebody to mend the cause in `lastError`', then: 'a resume tries again' },
  deleting: { waitsFor: 'a node, which removes its objects', then: 'the job is sent again' },
};

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
      return {
        id,
        state,
        since,
        reason,
        ...prospects[state],
        ...(deadlineAt !== undefined && { until: deadlineAt }),
        ...(lastError !== undefined && { lastError }),
        events: await parts.registry.recentEvents(id, eventsShown),
      };
    },
  );
}
