/** Whether a call for an activation may go in: an api sends it, this node holds exactly that one, nobody is about to freeze it. */
import type { RefusalReason } from '../../shared/http/ingress-contract.ts';
import type { PassCheck } from '../../shared/http/node-pass.ts';
import type { Activation, ActivationTable } from '../activation/activation.ts';
import type { Lease } from './gate.ts';

/** Whether this node may let the activation answer at this moment (worker/node/fence.ts). */
export type Admits = (activation: Activation) => boolean;

export interface Door {
  readonly table: ActivationTable;
  readonly admits: Admits;
  readonly trusts: PassCheck;
}

export interface Wanted {
  readonly actorId?: string;
  readonly epoch?: string;
  readonly pass?: string | undefined;
}

/** Without going in: for those that look at an activation from outside, and keep nobody awake. */
export function findActivation({ table, admits, trusts }: Door, wanted: Wanted): Activation | RefusalReason {
  const { actorId, epoch, pass } = wanted;
  if (!trusts(pass)) return 'unknown-caller';
  const activation = actorId === undefined ? undefined : table.get(actorId);
  if (activation === undefined) return 'unknown-actor';
  if (epoch !== activation.epoch) return 'stale-epoch';
  return admits(activation) ? activation : 'draining';
}

/** The lease pins the activation; whoever has it is awaited by a suspend, within limits. */
export function enterActivation(
  door: Door,
  wanted: Wanted,
): { readonly activation: Activation; readonly lease: Lease } | RefusalReason {
  const activation = findActivation(door, wanted);
  if (typeof activation === 'string') return activation;
  const lease = activation.gate.enter();
  return typeof lease === 'string' ? lease : { activation, lease };
}
