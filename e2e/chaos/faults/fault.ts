/** What a fault needs and does. Its whole course, the mending included, is one call, so a run never ends half broken. */
import type { Random } from '../random.ts';
import type { World } from '../world.ts';

export interface FaultContext {
  readonly world: World;
  /** The fault's own numbers, drawn from the run's seed. */
  readonly random: Random;
  readonly leaseMs: number;
}

export interface Fault {
  /** What it is about to hit, or undefined when there is nothing to hit now. */
  strike(context: FaultContext): Promise<string | undefined>;
}
