/** POST /v1/nodes/{id}/undrain: the node may be given actors again. */
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { nodeView } from '../../schemas/node.ts';
import { showNode } from './show-node.ts';

export function undrainRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/nodes/:id/undrain',
    {
      schema: {
        tags: ['nodes'],
        summary: 'Give a drained node actors again',
        params: z.object({ id: z.string().min(1).max(63) }),
        response: { 200: nodeView },
      },
    },
    async (request) => {
      const { id } = request.params;
      await parts.registry.setNodeState(id, 'ready');
      const node = await parts.registry.getNode(id);
      if (node === undefined) throw new DormouseError('node-not-found', `no node ${id}`);
      return showNode(parts.registry, node);
    },
  );
}
