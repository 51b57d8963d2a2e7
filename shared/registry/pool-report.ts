/**
 * What a node has in waiting (worker/pool/), as it last said: a note in Redis that wakes never read. One of an earlier boot
 * of the node, or of another version, says nothing.
 */
import { z } from 'zod';
import type { Registry } from './registry.ts';

type Notes = Pick<Registry, 'readNote' | 'writeNote'>;

export const poolShareSchema = z.object({
  template: z.string(),
  revision: z.string(),
  /** Sandboxes that a wake only has to fill. */
  ready: z.number().int(),
  /** Sandboxes that are being made. */
  making: z.number().int(),
});
export type PoolShare = z.infer<typeof poolShareSchema>;

const reportSchema = z.object({ bootId: z.string(), shares: z.array(poolShareSchema) });

export interface NodeBoot {
  readonly id: string;
  readonly bootId: string;
}

const noteOf = (nodeId: string): string => `pool:${nodeId}`;

export const writePool = (registry: Notes, { id, bootId }: NodeBoot, shares: readonly PoolShare[]): Promise<void> =>
  registry.writeNote(noteOf(id), JSON.stringify({ bootId, shares }));

export const dropPool = (registry: Notes, { id }: NodeBoot): Promise<void> => registry.writeNote(noteOf(id), undefined);

/** Empty where nothing is known. */
export async function readPool(registry: Notes, { id, bootId }: NodeBoot): Promise<readonly PoolShare[]> {
  const text = await registry.readNote(noteOf(id));
  if (text === undefined) return [];
  const { data } = reportSchema.safeParse(JSON.parse(text));
  return data?.bootId === bootId ? data.shares : [];
}
