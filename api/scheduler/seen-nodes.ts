/**
 * The nodes as this process saw them a moment ago, with what it has placed on them since: a thousand wakes do not ask a
 * thousand times. The claim decides whether the room is really there, so an old look costs a second choice at worst; a
 * refusal is never built on one.
 */
import type { NodeStatus } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';

export interface SeenNodes {
  /** `asOf`: not older than this instant of `performance.now()`. */
  list(asOf?: number): Promise<readonly NodeStatus[]>;
  /** An actor was placed there. */
  place(nodeId: string, memoryMiB: number): void;
}

/** Shorter than a wake: what others place meanwhile is little. */
const trustMs = 50;

export function seeNodes(registry: Pick<Registry, 'listNodes'>): SeenNodes {
  let look: { readonly at: number; nodes: Promise<readonly NodeStatus[]> } | undefined;
  return {
    async list(asOf = performance.now() - trustMs) {
      if (look === undefined || look.at < asOf) {
        const mine = { at: performance.now(), nodes: registry.listNodes() };
        look = mine;
        mine.nodes.catch(() => {
          if (look === mine) look = undefined; // a failure is not remembered
        });
      }
      return await look.nodes;
    },
    place(nodeId, memoryMiB) {
      if (look === undefined) return;
      const placed = (node: NodeStatus): NodeStatus =>
        node.id === nodeId
          ? { ...node, usedSlots: node.usedSlots + 1, usedMemoryMiB: node.usedMemoryMiB + memoryMiB }
          : node;
      look.nodes = look.nodes.then((nodes) => nodes.map(placed));
      look.nodes.catch(() => undefined); // whoever asked was told
    },
  };
}
