/** What a node holds for an actor that runs on it, and the table of them. An activation is one epoch of one actor. */
import type { Agent } from 'node:http';
import type { Epoch } from '../../shared/actor/epoch.ts';
import type { SnapshotPart } from '../../shared/snapshot/manifest.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import type { Gate } from '../ingress/gate.ts';
import type { LogCollector } from '../logs/collector.ts';
import type { Identity, Sandbox } from '../sandbox/sandbox.ts';

export interface Activation {
  readonly identity: Identity;
  readonly epoch: Epoch;
  readonly template: TemplateDescriptor;
  readonly sandbox: Sandbox;
  readonly gate: Gate;
  readonly logs: LogCollector;
  /** Connections to this activation and to no other; destroyed with it. */
  readonly connections: Agent;
  /** The golden's memory that its changes are counted against; none for an actor that booted by itself. */
  readonly base: { readonly path: string; readonly sha256: string } | undefined;
  /** The parts of its last generation, in order, if the next one may lie over them. */
  readonly beneath: readonly SnapshotPart[] | undefined;
  /** An idle actor whose suspend failed is left alone until then, by the process's own clock. */
  quietUntil: number;
}

export interface ActivationTable {
  get(actorId: string): Activation | undefined;
  add(activation: Activation): void;
  /** Removes this very activation, not a newer one of the same actor. */
  remove(activation: Activation): boolean;
  /**
   * Removes one whose VM has ended, unless somebody has removed it before. Until this is disposed it is known that the
   * registry is being told why, and that nobody else need tell it that it is gone.
   */
  lose(activation: Activation): Disposable | undefined;
  isBeingLost(actorId: string): boolean;
  all(): readonly Activation[];
}

export function createActivationTable(): ActivationTable {
  const table = new Map<string, Activation>();
  const lost = new Set<Activation>();
  const remove = (activation: Activation): boolean =>
    table.get(activation.identity.id) === activation && table.delete(activation.identity.id);
  return {
    get: (actorId) => table.get(actorId),
    add: (activation) => void table.set(activation.identity.id, activation),
    remove,
    lose(activation) {
      if (!remove(activation)) return undefined;
      lost.add(activation);
      return { [Symbol.dispose]: () => void lost.delete(activation) };
    },
    isBeingLost: (actorId) => [...lost].some(({ identity }) => identity.id === actorId),
    all: () => [...table.values()],
  };
}
