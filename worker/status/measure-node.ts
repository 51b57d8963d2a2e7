/** The gauges of a node, read when somebody asks. */
import type { Meters } from '../../shared/telemetry/meters.ts';
import type { NodeContext } from '../node-context.ts';

const bytesPerMiB = 1024 * 1024;

export interface NodeLimits {
  readonly slots: number;
  readonly memoryMiB: number;
  readonly serves: () => boolean;
}

export function measureNode(
  meters: Meters,
  {
    activations,
    captures,
    pool,
    sender,
    nodeId,
  }: Pick<NodeContext, 'activations' | 'captures' | 'pool' | 'sender' | 'nodeId'>,
  { slots, memoryMiB, serves }: NodeLimits,
): void {
  const usedMiB = (): number => activations.all().reduce((sum, { template }) => sum + template.spec.memoryMiB, 0);
  meters.read('dormouse_node_serves', () => (serves() ? 1 : 0));
  meters.read('dormouse_node_slots', () => slots);
  meters.read('dormouse_node_slots_used', () => activations.all().length);
  meters.read('dormouse_node_memory_bytes', () => memoryMiB * bytesPerMiB);
  meters.read('dormouse_node_memory_used_bytes', () => usedMiB() * bytesPerMiB);
  meters.read('dormouse_node_captures', () => captures.all().length);
  meters.read('dormouse_pool_ready', () => pool.counts.ready);
  meters.read('dormouse_queue_jobs', () => sender.waiting(nodeId));
}
