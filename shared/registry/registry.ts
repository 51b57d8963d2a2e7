/**
 * The registry port: the coordination state every process shares. Each change of an actor is one atomic step that checks
 * the state it leaves and the epoch that holds it; whoever holds an old epoch changes nothing.
 *
 * Failures: `registry-unavailable` when Redis does not answer.
 */
import type { Epoch } from '../actor/epoch.ts';
import type { ActorState } from '../actor/lifecycle.ts';
import type {
  ActorEvent,
  ActorRecord,
  Change,
  FleetChange,
  NodeRecord,
  NodeStatus,
  Operation,
  Phases,
  PlatformEvent,
  TemplateRecord,
} from './records.ts';

/** Fields a transition may set. `undefined` removes an optional one. */
export type ActorUpdate = {
  readonly [Field in keyof Omit<ActorRecord, 'id' | 'uid' | 'state' | 'since' | 'epoch' | 'memoryMiB'>]?:
    ActorRecord[Field] | undefined;
};

export interface Transition {
  readonly id: string;
  readonly from: readonly ActorState[];
  readonly to: ActorState;
  /** The activation that asks. Omitted only for moves out of states that no activation holds. */
  readonly epoch?: Epoch;
  /** Bound on a transitional state, from now. */
  readonly deadlineMs?: number;
  readonly reason: string;
  readonly update?: ActorUpdate;
  /** How long the steps that led here took: for the event of this move. A start's are taken from its `lastStart`. */
  readonly phases?: Phases;
  /** Put in the same step, if the move is made. */
  readonly operation?: Operation;
}

export type TransitionResult =
  | { readonly outcome: 'moved' }
  | { readonly outcome: 'refused'; readonly state: ActorState; readonly epoch: Epoch | undefined }
  | { readonly outcome: 'absent' };

export type ClaimResult =
  | { readonly outcome: 'claimed'; readonly epoch: Epoch }
  | { readonly outcome: 'refused'; readonly state: ActorState }
  | { readonly outcome: 'no-room' }
  /** Nothing is placed yet in this life of the registry; undefined while it has no life at all. */
  | { readonly outcome: 'closed'; readonly opensInMs: number | undefined }
  | { readonly outcome: 'absent' };

/** `busy`: the registry has an activation of an earlier life of the id, which must end first. */
export type RestoreResult = 'restored' | 'updated' | 'known' | 'busy';
/** `absent`: the registry has no life yet, or the actor is gone from it: ask again as long as the lease allows. */
export type ReadoptResult = 'readopted' | 'absent' | 'refused';

/** An activation that a node still runs. */
export interface HeldActivation {
  readonly id: string;
  readonly uid: string;
  readonly epoch: Epoch;
  readonly node: string;
}

/** Whether an actor is where somebody thinks it is. */
export type ActorLook = Pick<ActorRecord, 'id' | 'state' | 'epoch' | 'node'>;

export interface RegistryLife {
  /** 0: it never had one. */
  readonly incarnation: number;
  /** False once Redis was restarted, emptied, or replaced by another copy of itself: then a new life must begin. */
  readonly current: boolean;
  /** Milliseconds until actors are placed; 0: they are. */
  readonly closedMs: number;
  /** Whether everything in the store was read back in this life. */
  readonly rebuilt: boolean;
}

export interface ActorFilter {
  readonly state?: ActorState | undefined;
  /** A template of `default`, or of the namespace if one is named. */
  readonly template?: string | undefined;
  /** `name=value`, or `name` for any value. */
  readonly label?: string | undefined;
  /** Left out: all of them. */
  readonly namespace?: string | undefined;
  /** What the name begins with; of `default` where no namespace is named. */
  readonly prefix?: string | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

export interface ActorRegistry {
  /** Undefined when there is none; `registry-unavailable` while it might only be forgotten. */
  getActor(id: string): Promise<ActorRecord | undefined>;
  /** Adds an actor in state `suspended`; its template must be ready and of the same revision. */
  createActor(record: ActorRecord): Promise<'created' | 'exists' | 'template-gone'>;
  listActors(filter: ActorFilter, limit: number, cursor?: string): Promise<Page<ActorRecord>>;
  /**
   * suspended, failed, or paused on that very node → resuming on a node that has room, with the next epoch. The operation
   * that carries it out is put in the same step, if the claim succeeds.
   */
  claim(id: string, nodeId: string, deadlineMs: number, reason: string, operation?: Operation): Promise<ClaimResult>;
  transition(transition: Transition): Promise<TransitionResult>;
  /** Puts back an actor that the store knows better; one that is here with the same or a later log is left alone. */
  restoreActor(record: ActorRecord): Promise<RestoreResult>;
  /**
   * A node that still runs an actor which the registry forgot puts it back to `running` with its own epoch, at the log's
   * head that `update` tells of. Refused once that activation is over: a later epoch was given out, or the log has a
   * generation or a fence of this one. A node whose lease went with the registry's last life freezes all that it runs
   * before it asks for a lease again, and lets run only what this took back; it ends the rest.
   */
  readopt(held: HeldActivation, update: ActorUpdate): Promise<ReadoptResult>;
  /** Removes an actor that is `deleting`. */
  removeActor(id: string, uid: string): Promise<void>;
  /** Ids of transitional actors whose deadline has passed. */
  overdueActors(limit: number): Promise<string[]>;
  /** All that the node holds: those that run there, and those it keeps a capture of. */
  actorsOnNode(nodeId: string): Promise<string[]>;
  /** The same, with what a node compares of them at intervals, in one round trip. */
  looksOnNode(nodeId: string): Promise<ActorLook[]>;
}

/** Events after a place in the stream. */
export interface EventPage {
  readonly events: readonly PlatformEvent[];
  /** The place of the last one of them, or where to look next when there are none. */
  readonly next: string;
  /**
   * The place is not in the stream any more: it was trimmed, or Redis has lost it. What happened between it and the first
   * of `events` is not known.
   */
  readonly gap: boolean;
}

export interface EventRegistry {
  /**
   * Each state change, written in the same step as the change; a bounded number is kept, of all actors, templates and
   * nodes together. The place `streamStart` is before everything.
   */
  readEvents(after: string, limit: number): Promise<EventPage>;
  /** The place of the newest event. */
  newestEvent(): Promise<string>;
  /** An actor's latest changes, oldest first, as far as they are kept. */
  recentEvents(id: string, limit: number): Promise<ActorEvent[]>;
}

/** A place in the stream of events that is before every event. */
export const streamStart = '0-0';

export interface TemplateRegistry {
  getTemplate(name: string): Promise<TemplateRecord | undefined>;
  /** Of one namespace, or of all. */
  listTemplates(limit: number, cursor?: string, namespace?: string): Promise<Page<TemplateRecord>>;
  createTemplate(record: TemplateRecord): Promise<'created' | 'exists'>;
  /** Replaces the record if it still has the revision and one of the states. */
  updateTemplate(record: TemplateRecord, from: readonly TemplateRecord['state'][]): Promise<boolean>;
  /** Marks it `deleting` unless an actor uses it. */
  beginDeleteTemplate(name: string): Promise<'deleting' | 'in-use' | 'absent'>;
  removeTemplate(name: string): Promise<void>;
}

/** `gone`: it ran out, or the registry lost it. `taken`: another boot of the node holds it. */
export type LeaseAnswer = 'held' | 'gone' | 'taken';

export interface NodeRegistry {
  /**
   * Announces a node and takes its lease. False when another boot of that id still holds it, unless it is the one that
   * the caller knows to be dead.
   */
  announceNode(record: NodeRecord, leaseMs: number, deadBootId?: string): Promise<boolean>;
  renewLease(nodeId: string, bootId: string, leaseMs: number): Promise<LeaseAnswer>;
  /**
   * Takes a lease that has run out, for the boot that held it. False when another boot has announced itself, or this one
   * was declared over: then it can never be had again. Announces the node if the registry has forgotten it.
   */
  retakeLease(record: NodeRecord, leaseMs: number): Promise<boolean>;
  /**
   * The node has said which of its frozen actors it still runs. Between `retakeLease` and this it counts as `returning`:
   * a new life of the registry places nothing meanwhile, so that what a node offers back finds its place free.
   */
  settleNode(nodeId: string): Promise<void>;
  /**
   * Decides, against a node that would take its lease again, that its boot is over. False while it holds the lease. Comes
   * before anything is done to the node's actors; after it, no VM of that boot is ever let run again.
   */
  declareNodeOver(nodeId: string): Promise<boolean>;
  releaseLease(nodeId: string, bootId: string): Promise<void>;
  setNodeState(nodeId: string, state: NodeRecord['state']): Promise<boolean>;
  getNode(nodeId: string): Promise<NodeStatus | undefined>;
  listNodes(): Promise<NodeStatus[]>;
}

export interface BegunJob {
  readonly record: ActorRecord | undefined;
  /** Whether the epoch was given out in the current life: only such an activation may still be started. */
  readonly mayActivate: boolean;
}

export interface OperationRegistry {
  /** Says whether it was taken: an operation that is over stays as it is. */
  putOperation(operation: Operation): Promise<boolean>;
  /**
   * The same for an operation of an activation that a node begins now, with all that it has to look at in one step.
   * Undefined when the operation is over.
   */
  beginJob(operation: Operation, actorId: string, epoch: Epoch): Promise<BegunJob | undefined>;
  getOperation(id: string): Promise<Operation | undefined>;
  /** Operations that are not over, those whose deadline comes first; with `overdue` only those past it. */
  openOperations(limit: number, overdue: boolean): Promise<Operation[]>;
}

export interface LifeRegistry {
  /** Number of this registry's present or last life; 0 before the first. */
  incarnation(): Promise<number>;
  life(): Promise<RegistryLife>;
  /**
   * Begins a life unless one is current: every lease ends, nothing is placed for `closedMs`, and until `markRebuilt` what
   * is absent counts as forgotten; with 0 there was no life before. Returns the incarnation that stands, 0 when the given
   * one is not greater than the last.
   */
  beginLife(incarnation: number, closedMs: number): Promise<number>;
  /** Places actors from now on, if that life is still the current one. */
  openPlacement(incarnation: number): Promise<boolean>;
  /** The store was read back in that life. */
  markRebuilt(incarnation: number): Promise<void>;
  /** Whether the epoch was given out in the current life: only such an activation may still be started. */
  mayActivate(epoch: Epoch): Promise<boolean>;
}

export interface Registry
  extends ActorRegistry, TemplateRegistry, NodeRegistry, OperationRegistry, LifeRegistry, EventRegistry {
  /** Remembers an answer under an Idempotency-Key; returns what stands there already. */
  remember(key: string, value: string, ttlMs: number): Promise<string | undefined>;
  /** What stands under the key, if anything. */
  recall(key: string): Promise<string | undefined>;
  forget(key: string): Promise<void>;
  /** A note under a name, kept until it is written anew; undefined removes it. Gone with Redis. */
  writeNote(name: string, text: string | undefined): Promise<void>;
  readNote(name: string): Promise<string | undefined>;
  /** Takes or extends a named lock for one holder; false when another has it. */
  lead(name: string, holder: string, ttlMs: number): Promise<boolean>;
  /** Tells every process that the store has a token's record that it had not before. */
  announceToken(id: string, state: 'created' | 'revoked'): Promise<void>;
  /**
   * Calls back on every change anywhere, but for the beginnings of wakes. Hints may be lost: look again at intervals as
   * well.
   */
  watch(listener: (change: Change) => void): Disposable;
  /** The same without actors and operations: a process that wants no others is not sent several for each wake. */
  watchFleet(listener: (change: FleetChange) => void): Disposable;
  /** An actor is `resuming`: one for each wake, for those who show all that happens. */
  watchWakes(listener: (change: Change) => void): Disposable;
  ping(): Promise<void>;
  close(): Promise<void>;
}
