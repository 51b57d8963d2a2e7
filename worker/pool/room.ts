/**
 * How much memory may wait: what the node gives out, less what its actors were promised, and no more than the machine can
 * spare at this moment.
 */
import { freemem, totalmem } from 'node:os';
import type { ActivationTable } from '../activation/activation.ts';

/** Of the machine's memory. Below it the kernel begins to drop what it has read from disk, and images live there. */
const reserveShare = 0.1;
const mebibyte = 1024 * 1024;

export function roomForWaiting(memoryMiB: number, activations: Pick<ActivationTable, 'all'>, wakesMiB: number): number {
  const promisedMiB = activations.all().reduce((sum, { template }) => sum + template.spec.memoryMiB, wakesMiB);
  // On Linux `freemem` is MemAvailable, and what waits is taken off it already.
  const isShort = freemem() < totalmem() * reserveShare;
  return isShort ? -1 : (memoryMiB - promisedMiB) * mebibyte;
}
