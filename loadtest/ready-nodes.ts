/** The nodes that can take an actor now: alive and not draining. */
import type { DormouseClient } from '../sdk/client.ts';

export async function readyNodes(client: DormouseClient, signal: AbortSignal): Promise<string[]> {
  const nodes = await client.nodes.list({ signal });
  return nodes.filter((node) => node.state === 'ready' && node.leaseMs > 0).map((node) => node.id);
}
