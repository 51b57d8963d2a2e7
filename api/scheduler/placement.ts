/**
 * Chooses the node of an activation. Pure: the claim in the registry decides whether the room is really there.
 *
 * What must hold: a live lease, a free slot, enough memory, a runtime that can load the snapshot. Among the nodes that
 * fit, the one with most room left wins, where having the template's images and golden at hand, or the actor's last
 * stay, counts as much as some more room: so actors of one template gather where their golden is, until it gets crowded.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { NodeStatus } from '../../shared/registry/records.ts';
import { incompatibilities, type RuntimeKey } from '../../shared/snapshot/manifest.ts';

export interface Placement {
  readonly memoryMiB: number;
  /** What can load the snapshot; undefined for a start that boots. */
  readonly runtime: RuntimeKey | undefined;
  /** The only node that will do. */
  readonly only?: string | undefined;
  /** Nodes that were tried and had no room after all. */
  readonly without?: ReadonlySet<string>;
  /** The template's revision. */
  readonly revision?: string;
  readonly lastNode?: string | undefined;
}

/** Why a node was passed over. A full node may have room later; one that cannot load the snapshot never will. */
export interface Unfit {
  readonly reason: string;
  readonly incompatible: boolean;
  /** Only room is missing: it would do as soon as an actor there goes to sleep. */
  readonly full: boolean;
}

export type Choice =
  { readonly node: NodeStatus } | { readonly node: undefined; readonly unfit: Readonly<Record<string, Unfit>> };

/** A lease that is over before the job has even been read is no ground to build on. */
const leastLeaseMs = 2000;
/** Fetching images and a golden takes seconds, so they are worth a quarter of a node's room; a warm page cache less. */
const templateBonus = 0.25;
const lastNodeBonus = 0.1;

export function chooseNode(nodes: readonly NodeStatus[], placement: Placement): Choice {
  const unfit: Record<string, Unfit> = {};
  const fit: NodeStatus[] = [];
  for (const node of nodes) {
    const why = unfitness(node, placement);
    if (why === undefined) fit.push(node);
    else unfit[node.id] = why;
  }
  const [first] = fit.sort((a, b) => merit(b, placement) - merit(a, placement) || a.id.localeCompare(b.id));
  return first === undefined ? { node: undefined, unfit } : { node: first };
}

/** No node will do: `incompatible` when room would not help, `no-capacity` when it would. */
export function refusal(unfit: Readonly<Record<string, Unfit>>, only?: string): DormouseError {
  if (only !== undefined && !Object.hasOwn(unfit, only)) return new DormouseError('node-not-found', `no node ${only}`);
  const asked = Object.entries(unfit).filter(([id]) => only === undefined || id === only);
  const words = asked.map(([id, { reason }]) => `${id}: ${reason}`).join(', ');
  const full = asked.flatMap(([id, unfitness]) => (unfitness.full ? [id] : []));
  const details = { nodes: Object.fromEntries(asked.map(([id, { reason }]) => [id, reason])), full };
  if (asked.length > 0 && asked.every(([, { incompatible }]) => incompatible)) {
    return new DormouseError('incompatible', `no node can load the snapshot (${words})`, { details });
  }
  const why = words === '' ? 'there are no nodes' : words;
  return new DormouseError('no-capacity', `no node can take it (${why})`, { details, retryAfterMs });
}

/** Room comes when an actor goes to sleep: in seconds, not in milliseconds. */
const retryAfterMs = 2000;

const freeMemoryMiB = (node: NodeStatus): number => node.memoryMiB - node.usedMemoryMiB;

/** The scarcer of memory and slots, as a share of the node, and what is at hand there. */
function merit(node: NodeStatus, { revision, lastNode }: Placement): number {
  const free = Math.min(freeMemoryMiB(node) / node.memoryMiB, (node.slots - node.usedSlots) / node.slots);
  const hasTemplate = revision !== undefined && node.revisions.includes(revision);
  return free + (hasTemplate ? templateBonus : 0) + (node.id === lastNode ? lastNodeBonus : 0);
}

export const isLive = (node: NodeStatus): boolean => node.leaseMs >= leastLeaseMs;

function unfitness(node: NodeStatus, placement: Placement): Unfit | undefined {
  const { memoryMiB, runtime, only, without } = placement;
  const forNow = (reason: string): Unfit => ({ reason, incompatible: false, full: false });
  const forRoom = (reason: string): Unfit => ({ reason, incompatible: false, full: true });
  if (only !== undefined && node.id !== only) return forNow('another node was asked for');
  if (!isLive(node)) return forNow('its lease is over');
  const differences = runtime === undefined ? [] : incompatibilities(runtime, node.runtime);
  if (differences.length > 0)
    return { reason: `incompatible: ${differences.join('; ')}`, incompatible: true, full: false };
  if (node.state !== 'ready') return forNow(`it is ${node.state}`);
  if (without?.has(node.id) === true) return forRoom('another actor took its last room');
  if (node.usedSlots >= node.slots) return forRoom(`all ${node.slots} slots are taken`);
  if (node.memoryMiB < memoryMiB) return forNow(`it has ${node.memoryMiB} MiB, ${memoryMiB} MiB needed`);
  if (freeMemoryMiB(node) < memoryMiB) return forRoom(`${freeMemoryMiB(node)} MiB free, ${memoryMiB} MiB needed`);
  return undefined;
}

/** The nodes on which room is all that was missing, by the refusal. */
export function fullNodes({ details }: DormouseError): readonly string[] {
  const full = details['full'];
  return Array.isArray(full) ? full.filter((id) => typeof id === 'string') : [];
}
