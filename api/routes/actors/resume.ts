/** POST /v1/actors/{id}/resume: starts an actor without a call, on a node of the caller's choice if they have one. */
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { clientSignal } from '../../http/client-signal.ts';
import { replyWithOperation } from '../../http/operation-reply.ts';
import { preferredWaitMs } from '../../http/prefer.ts';
import { actorParams } from '../../schemas/actor.ts';
import { operationView } from '../../schemas/operation.ts';
import { resumeActor } from '../../scheduler/actor-requests.ts';

const bodySchema = z.strictObject({ node: z.string().min(1).max(63).optional() }).nullish();

export function resumeRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/actors/:id/resume',
    {
      schema: {
        tags: ['actors'],
        summary: 'Wake an actor; with `Prefer: wait=N` answers when it runs',
        params: actorParams,
        body: bodySchema,
        response: { 200: operationView, 202: operationView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const node = request.body?.node;
      await requireNotElsewhere(parts, id, node);
      const waitMs = preferredWaitMs(request.headers.prefer);
      const patience = clientSignal(reply, waitMs ?? 0, parts.stopping);
      const operation = await resumeActor(parts, { id, patience }, node);
      return replyWithOperation(parts, reply, operation, waitMs);
    },
  );
}

/** An actor that is up on another node is not moved behind the caller's back. */
async function requireNotElsewhere({ registry }: RouteParts, id: string, node: string | undefined): Promise<void> {
  if (node === undefined) return;
  const record = await registry.getActor(id);
  if (record?.node === undefined || record.node === node || record.state === 'suspending') return;
  throw new DormouseError('state-conflict', `${id} is ${record.state} on ${record.node}: suspend it first`);
}
