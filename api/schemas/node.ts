/** Nodes as the API shows them. Where their ingress is, and what opens it, stays between the api and them. */
import { z } from 'zod';
import type { NodeStatus } from '../../shared/registry/records.ts';
import { runtimeKeySchema } from '../../shared/snapshot/manifest.ts';

export const nodeView = z
  .object({
    id: z.string(),
    state: z.enum(['ready', 'draining']),
    leaseMs: z.number().meta({ description: 'Until others may take the node for dead; 0 when they may already' }),
    slots: z.number().int(),
    usedSlots: z.number().int(),
    memoryMiB: z.number().int(),
    usedMemoryMiB: z.number().int(),
    startedAt: z.string(),
    runtime: runtimeKeySchema,
  })
  .meta({ id: 'Node', description: 'A machine that runs actors' });

export function viewOfNode(node: NodeStatus): z.infer<typeof nodeView> {
  const {
    bootId: _bootId,
    ingressUrl: _ingressUrl,
    nodeServiceUrl: _nodeServiceUrl,
    passKey: _passKey,
    ...shown
  } = node;
  return shown;
}
