/** GET /v1/nodes: all that were ever announced, with what is left of their leases. */
import type { ApiApp, RouteParts } from '../../app.ts';
import { listOf } from '../../schemas/list.ts';
import { nodeView, viewOfNode } from '../../schemas/node.ts';

export function listRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/nodes',
    { schema: { tags: ['nodes'], summary: 'Nodes, their room and their leases', response: { 200: listOf(nodeView) } } },
    async () => ({ items: (await parts.registry.listNodes()).map(viewOfNode) }),
  );
}
