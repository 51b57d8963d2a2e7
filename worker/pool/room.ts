/**
 * How much memory may hold what only makes wakes faster, and no more than the machine can spare at this moment: sandboxes
 * that wait get what the node gives out less what its actors were promised, unpacked goldens a share of it.
 */
import { freemem, totalmem } from 'node:os';
import type { ActivationTable } from '../activation/activation.ts';

/** Of the machine's memory. Below it the kernel begins to drop what it has read from disk, and images live there. */
const reserveShare = 0.1;
const mebibyte = 1024 * 1024;

/** Of what the node gives out. A golden is a fraction of its actors' memory, and those that no actor uses serve nobody. */
const goldenShare = 0.25;

// On Linux `freemem` is MemAvailable, and what waits is taken off it already.
export const isShort = (): boolean => freemem() < totalmem() * reserveShare;

export function roomForWaiting(memoryMiB: number, activations: Pick<ActivationTable, 'all'>, wakesMiB: number): number {
  const promisedMiB = activations.all().reduce((sum, { template }) => sum + template.spec.memoryMiB, wakesMiB);
  return isShort() ? -1 : (memoryMiB - promisedMiB) * mebibyte;
}

export const roomForGoldens = (memoryMiB: number): number => (isShort() ? 0 : memoryMiB * mebibyte * goldenShare);
