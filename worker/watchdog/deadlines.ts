/** What an order demands at an instant, and when to look again. Pure. */
import type { Order } from './order.ts';

export interface Demand {
  readonly act: 'nothing' | 'freeze' | 'end';
  /** Undefined: only a new order changes anything. */
  readonly lookInMs: number | undefined;
}

/** VMs that appear while all are to be stopped (a start that was under way) run no longer than this. */
const sweepEveryMs = 200;

export function demandAt(order: Order | undefined, nowMs: number): Demand {
  if (order === undefined) return { act: 'nothing', lookInMs: undefined };
  if (nowMs >= order.endAtMs) return { act: 'end', lookInMs: sweepEveryMs };
  if (nowMs >= order.freezeAtMs) return { act: 'freeze', lookInMs: Math.min(sweepEveryMs, order.endAtMs - nowMs) };
  return { act: 'nothing', lookInMs: order.freezeAtMs - nowMs };
}
