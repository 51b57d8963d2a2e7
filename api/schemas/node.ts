/** Nodes as the API shows them. Where their ingress is, and what opens it, stays between the api and them. */
import { z } from 'zod';
import { nameOf, namespaceOf, namespaceSchema } from '../../shared/actor/namespace.ts';
import { poolShareSchema, type PoolShare } from '../../shared/registry/pool-report.ts';
import type { NodeStatus } from '../../shared/registry/records.ts';
import { runtimeKeySchema } from '../../shared/snapshot/manifest.ts';

export const nodeView = z
  .object({
    id: z.string(),
    state: z.enum(['ready', 'draining']).meta({
      description: '`draining` gets no more actors and suspends those it has; with `usedSlots` 0 it is drained',
    }),
    leaseMs: z.number().meta({ description: 'Until others may take the node for dead; 0 when they may already' }),
    slots: z.number().int().meta({ description: 'Actors that may be awake there at once' }),
    usedSlots: z.number().int(),
    memoryMiB: z.number().int().meta({ description: 'Memory that actors may take there' }),
    usedMemoryMiB: z.number().int().meta({ description: 'What those awake there take, by their templates' }),
    startedAt: z.string(),
    runtime: runtimeKeySchema.meta({ description: 'What its VMs are made of; decides which snapshots load there' }),
    pool: z.array(poolShareSchema.extend({ namespace: namespaceSchema })).meta({
      description: 'Sandboxes in waiting, by template: `ready` ones a wake only has to fill, and those in the `making`',
    }),
  })
  .meta({ id: 'Node', description: 'A machine that runs actors' });
export type NodeView = z.infer<typeof nodeView>;

export function viewOfNode(node: NodeStatus, pool: readonly PoolShare[]): NodeView {
  const {
    bootId: _bootId,
    ingressUrl: _ingressUrl,
    nodeServiceUrl: _nodeServiceUrl,
    passKey: _passKey,
    ...shown
  } = node;
  return {
    ...shown,
    pool: pool.map(({ template, ...share }) => ({
      template: nameOf(template),
      namespace: namespaceOf(template),
      ...share,
    })),
  };
}
