/**
 * The fencing number of an activation: `"<incarnation>.<counter>"`. The incarnation is claimed create-only in the store
 * for each life of the registry (shared/registry/incarnation.ts), so an epoch never repeats even when Redis forgot
 * everything, or came back with an older copy of itself. Of two epochs of an actor the greater one was given out later.
 */
import { z } from 'zod';

export const epochSchema = z
  .string()
  .regex(/^[1-9][0-9]{0,8}\.[0-9]{1,15}$/, 'an epoch reads "<incarnation>.<counter>"');
export type Epoch = z.infer<typeof epochSchema>;

const numbersOf = (epoch: Epoch): [incarnation: number, counter: number] => {
  const [incarnation = 0, counter = 0] = epoch.split('.').map(Number);
  return [incarnation, counter];
};

export const incarnationOf = (epoch: Epoch): number => numbersOf(epoch)[0];

/** Negative when `a` was given out before `b`, 0 when they are the same. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  const [incarnationA, counterA] = numbersOf(a);
  const [incarnationB, counterB] = numbersOf(b);
  return incarnationA - incarnationB || counterA - counterB;
}

/** The greater of two, of which either may be unknown. */
export function latestEpoch(a: Epoch | undefined, b: Epoch | undefined): Epoch | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareEpochs(a, b) < 0 ? b : a;
}

/** The greatest epoch that came before: declaring it over declares every earlier activation over. */
export function epochBefore(epoch: Epoch): Epoch {
  const [incarnation, counter] = numbersOf(epoch);
  return `${incarnation}.${Math.max(0, counter - 1)}`;
}
