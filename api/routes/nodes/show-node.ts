/** A node as the API shows it, with what it last said of its pool. */
import { readPool } from '../../../shared/registry/pool-report.ts';
import type { NodeStatus } from '../../../shared/registry/records.ts';
import type { Registry } from '../../../shared/registry/registry.ts';
import { viewOfNode, type NodeView } from '../../schemas/node.ts';

export async function showNode(
  registry: Pick<Registry, 'readNote' | 'writeNote'>,
  node: NodeStatus,
): Promise<NodeView> {
  return viewOfNode(node, await readPool(registry, node));
}
