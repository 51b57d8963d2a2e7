/**
 * POST /v1/nodes/{id}/drain: the node gets no more actors and suspends those it has; it stays up. `usedSlots` of the node
 * says how many are left. POST …/undrain ends it, and so does a restart of the worker.
 */
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { nodeView } from '../../schemas/node.ts';
import { showNode } from './show-node.ts';

export function drainRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/nodes/:id/drain',
    {
      schema: {
        tags: ['nodes'],
        summary: 'Suspend all actors of a node and give it no more',
        params: z.object({ id: z.string().min(1).max(63) }),
        response: { 202: nodeView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await parts.registry.setNodeState(id, 'draining');
      const node = await parts.registry.getNode(id);
      if (node === undefined) throw new DormouseError('node-not-found', `no node ${id}`);
      return reply.code(202).send(await showNode(parts.registry, node));
    },
  );
}
