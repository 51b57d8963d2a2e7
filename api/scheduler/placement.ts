/** Chooses the node of an activation. Pure: the claim in the registry decides whether the room is really there. */
import type { NodeStatus } from '../../shared/registry/records.ts';
import { incompatibilities, type RuntimeKey } from '../../shared/snapshot/manifest.ts';

export interface Placement {
  readonly memoryMiB: number;
  /** What can load the snapshot; undefined for a template that has none yet. */
  readonly runtime: RuntimeKey | undefined;
  /** Taken if it can be; with `only` no other will do. */
  readonly preferred?: string | undefined;
  readonly only?: boolean;
  /** Nodes that were tried and had no room after all. */
  readonly without?: ReadonlySet<string>;
}

export type Choice =
  | { readonly node: NodeStatus }
  /** Why each node was passed over. */
  | { readonly node: undefined; readonly reasons: Readonly<Record<string, string>> };

/** A lease that is over before the job has even been read is no ground to build on. */
const leastLeaseMs = 2000;

export function chooseNode(nodes: readonly NodeStatus[], placement: Placement): Choice {
  const reasons: Record<string, string> = {};
  const fit: NodeStatus[] = [];
  for (const node of nodes) {
    const reason = unfitness(node, placement);
    if (reason === undefined) fit.push(node);
    else reasons[node.id] = reason;
  }
  const [first] = fit.sort(
    (a, b) =>
      Number(b.id === placement.preferred) - Number(a.id === placement.preferred) ||
      freeMemoryMiB(b) - freeMemoryMiB(a) ||
      a.id.localeCompare(b.id),
  );
  return first === undefined ? { node: undefined, reasons } : { node: first };
}

const freeMemoryMiB = (node: NodeStatus): number => node.memoryMiB - node.usedMemoryMiB;

export const isLive = (node: NodeStatus): boolean => node.leaseMs >= leastLeaseMs;

function unfitness(node: NodeStatus, placement: Placement): string | undefined {
  const { memoryMiB, runtime, preferred, only = false, without } = placement;
  if (only && node.id !== preferred) return 'another node was asked for';
  if (!isLive(node)) return 'its lease is over';
  if (node.state !== 'ready') return `it is ${node.state}`;
  if (without?.has(node.id) === true) return 'another actor took its last room';
  if (node.usedSlots >= node.slots) return `all ${node.slots} slots are taken`;
  if (freeMemoryMiB(node) < memoryMiB) return `${freeMemoryMiB(node)} MiB free, ${memoryMiB} MiB needed`;
  const differences = runtime === undefined ? [] : incompatibilities(runtime, node.runtime);
  return differences.length === 0 ? undefined : `cannot load the snapshot (${differences.join('; ')})`;
}
