/** GET /v1/actors/{id}/wait: answers when the actor is in a state. */
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { clientSignal } from '../../http/client-signal.ts';
import { actorParams, actorStateSchema, actorView, viewOfActor } from '../../schemas/actor.ts';
import { requireActor } from './get.ts';

const querySchema = z.strictObject({
  state: actorStateSchema,
  timeoutMs: z.coerce.number().int().min(0).max(300_000).default(30_000),
});

export function waitRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/actors/:id/wait',
    {
      schema: {
        tags: ['actors'],
        summary: 'Wait until an actor is in a state',
        params: actorParams,
        querystring: querySchema,
        response: { 200: actorView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { state, timeoutMs } = request.query;
      const signal = clientSignal(reply, timeoutMs, parts.stopping);
      using watching = parts.watch.open(id);
      let record = await requireActor(parts.registry, id);
      while (record.state !== state) {
        const next = await watching.next(signal).catch((cause: unknown) => {
          if (!signal.aborted) throw cause;
          throw new DormouseError('wait-timeout', `${id} is ${record.state} after ${timeoutMs} ms`);
        });
        if (next === undefined) throw new DormouseError('actor-not-found', `no actor ${id} any more`);
        record = next;
      }
      return viewOfActor(record);
    },
  );
}
