/** Nodes: the machines that run actors. */
import type { Node } from './generated/api.ts';
import { segment } from './request-path.ts';
import type { CallOptions, Transport } from './transport.ts';

export type { Node };

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
