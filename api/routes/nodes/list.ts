/** GET /v1/nodes: all that were ever announced, with what is left of their leases. */
import type { ApiApp, RouteParts } from '../../app.ts';
import { listOf } from '../../schemas/list.ts';
import { nodeView } from '../../schemas/node.ts';
import { showNode } from './show-node.ts';

export function listRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/nodes',
    { schema: { tags: ['nodes'], summary: 'Nodes, their room and their leases', response: { 200: listOf(nodeView) } } },
    async () => {
      const nodes = await parts.registry.listNodes();
      return { items: await Promise.all(nodes.map((node) => showNode(parts.registry, node))) };
    },
  );
}
