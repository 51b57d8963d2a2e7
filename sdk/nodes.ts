/** Nodes: the machines that run actors. */
import type { CallOptions, Transport } from './transport.ts';

export interface Node {
  readonly id: string;
  readonly state: 'ready' | 'draining';
  /** Milliseconds until others may take the node for dead; 0 when they may already. */
  readonly leaseMs: number;
  readonly slots: number;
  readonly usedSlots: number;
  readonly memoryMiB: number;
  readonly usedMemoryMiB: number;
  readonly startedAt: string;
  /** What can load a snapshot here: architecture, VMM and its version, accelerator, kernel … */
  readonly runtime: Readonly<Record<string, string>>;
}

export interface Nodes {
  list(options?: CallOptions): Promise<readonly Node[]>;
}

export function nodesOf(transport: Transport): Nodes {
  return {
    list: async (options = {}) => {
      const answer = await transport.json({ method: 'GET', path: '/v1/nodes', ...options });
      return (answer as { readonly items: readonly Node[] }).items;
    },
  };
}
