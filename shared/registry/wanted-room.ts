/**
 * A note that calls are parked for want of room, and on which nodes room is all that is missing: an api leaves it whenever
 * an attempt fails, a node that puts an idle actor to sleep for it takes it away. One note is worth one actor; an api that
 * still has no room leaves the next one. A note that nobody takes is gone after a moment.
 */
import { z } from 'zod';
import type { Registry } from './registry.ts';

const key = 'wanted-room';
/** An api tries again, and notes again, every second. */
const noteTtlMs = 2000;

export async function wantRoom(registry: Pick<Registry, 'remember'>, nodes: readonly string[]): Promise<void> {
  if (nodes.length > 0) await registry.remember(key, JSON.stringify(nodes), noteTtlMs);
}

/** Whether the node is to make room; then the note is taken. Two nodes at once may both take it, which costs one wake. */
export async function takeWantedRoom(registry: Pick<Registry, 'recall' | 'forget'>, nodeId: string): Promise<boolean> {
  const note = await registry.recall(key);
  if (note === undefined || !z.array(z.string()).parse(JSON.parse(note)).includes(nodeId)) return false;
  await registry.forget(key);
  return true;
}
