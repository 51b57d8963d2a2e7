/** Nodes: the machines that run actors. */
import { segment } from './request-path.ts';
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
  /** Its actors are suspended and it gets no more; `usedSlots` says how many are left. */
  drain(id: string, options?: CallOptions): Promise<Node>;
  /** Gives a drained node actors again. */
  undrain(id: string, options?: CallOptions): Promise<Node>;
}

export function nodesOf(transport: Transport): Nodes {
  const order = async (id: string, verb: 'drain' | 'undrain', options: CallOptions): Promise<Node> =>
    (await transport.json({ method: 'POST', path: `/v1/nodes/${segment(id)}/${verb}`, ...options })) as Node;
  return {
    drain: (id, options = {}) => order(id, 'drain', options),
    undrain: (id, options = {}) => order(id, 'undrain', options),
    list: async (options = {}) => {
      const answer = await transport.json({ method: 'GET', path: '/v1/nodes', ...options });
      return (answer as { readonly items: readonly Node[] }).items;
    },
  };
}
