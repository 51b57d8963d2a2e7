/** POST /v1/actors/{id}/pause: drains, captures on the node, ends the VM. Fast; not durable until a suspend. */
import { z } from 'zod';
import type { ApiApp, RouteParts } from '../../app.ts';
import { clientSignal } from '../../http/client-signal.ts';
import { replyWithOperation } from '../../http/operation-reply.ts';
import { preferredWaitMs } from '../../http/prefer.ts';
import { actorParams } from '../../schemas/actor.ts';
import { operationView } from '../../schemas/operation.ts';
import { pauseActor } from '../../scheduler/actor-requests.ts';

export function pauseRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/actors/:id/pause',
    {
      schema: {
        tags: ['actors'],
        summary: 'Keep an actor on its node without a VM; with `Prefer: wait=N` answers when it is paused',
        description: 'Its state since the last generation is on that node only, until it is resumed or suspended.',
        params: actorParams,
        body: z.strictObject({}).nullish(),
        response: { 200: operationView, 202: operationView },
      },
    },
    async (request, reply) => {
      const waitMs = preferredWaitMs(request.headers.prefer);
      const patience = clientSignal(reply, waitMs ?? 0, parts.stopping);
      const operation = await pauseActor(parts, { id: request.params.id, patience });
      return replyWithOperation(parts, reply, operation, waitMs);
    },
  );
}
