/** DELETE /v1/actors/{id}: also while it runs; its objects are removed by a job. */
import type { ApiApp, RouteParts } from '../../app.ts';
import { clientSignal } from '../../http/client-signal.ts';
import { replyWithOperation } from '../../http/operation-reply.ts';
import { preferredWaitMs } from '../../http/prefer.ts';
import { actorParams } from '../../schemas/actor.ts';
import { operationView } from '../../schemas/operation.ts';
import { deleteActor } from '../../scheduler/actor-requests.ts';

export function deleteRoute(app: ApiApp, parts: RouteParts): void {
  app.delete(
    '/v1/actors/:id',
    {
      schema: {
        tags: ['actors'],
        summary: 'Delete an actor and all its snapshots',
        params: actorParams,
        response: { 200: operationView, 202: operationView },
      },
    },
    async (request, reply) => {
      const waitMs = preferredWaitMs(request.headers.prefer);
      const patience = clientSignal(reply, waitMs ?? 0, parts.stopping);
      const operation = await deleteActor(parts, { id: request.params.id, patience });
      return replyWithOperation(parts, reply, operation, waitMs);
    },
  );
}
