/** POST /v1/actors/{id}/suspend: drains, captures, commits. */
import { z } from 'zod';
import type { ApiApp, RouteParts } from '../../app.ts';
import { clientSignal } from '../../http/client-signal.ts';
import { replyWithOperation } from '../../http/operation-reply.ts';
import { preferredWaitMs } from '../../http/prefer.ts';
import { actorParams } from '../../schemas/actor.ts';
import { operationView } from '../../schemas/operation.ts';
import { suspendActor } from '../../scheduler/actor-requests.ts';

export function suspendRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/actors/:id/suspend',
    {
      schema: {
        tags: ['actors'],
        summary: 'Put an actor to sleep; with `Prefer: wait=N` answers when it is',
        params: actorParams,
        body: z.strictObject({}).nullish(),
        response: { 200: operationView, 202: operationView },
      },
    },
    async (request, reply) => {
      const waitMs = preferredWaitMs(request.headers.prefer);
      const patience = clientSignal(reply, waitMs ?? 0, parts.stopping);
      const operation = await suspendActor(parts, { id: request.params.id, patience });
      return replyWithOperation(parts, reply, operation, waitMs);
    },
  );
}
