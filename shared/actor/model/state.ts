/**
 * A model of one actor's coordination, small enough to look at every state of it: what the store, the registry and two
 * nodes hold while claims, loads, commits, fences and faults happen in any order. It has no time; where the platform relies
 * on a deadline, the model has a guard of that name.
 *
 * What is modelled: architecture.md's claim, lease, commit order, fall-back (shared/actor/fall-back.ts), the resume and
 * suspend jobs with lost answers, and a registry that returns to an older copy of itself.
 */

/** One entry of the actor's log. Its sequence number is its place, from 1. */
export type Entry =
  /** `from`: sequence number of the generation that the activation had begun with, or had committed last. 0: the golden. */
  | { readonly kind: 'snapshot'; readonly epoch: number; readonly from: number }
  | { readonly kind: 'fence'; readonly epoch: number };

export interface Record {
  readonly state: 'suspended' | 'resuming' | 'running' | 'suspending';
  readonly epoch: number;
  readonly node: number;
  readonly logSeq: number;
}

export interface Vm {
  readonly epoch: number;
  /** `sent`: frozen, and its commit is on its way to the store. */
  readonly state: 'loading' | 'up' | 'frozen' | 'sent' | 'committed';
  readonly from: number;
  readonly seq: number;
}

export interface Node {
  /** Whether others must still take it for alive. */
  readonly lease: boolean;
  readonly vm: Vm | undefined;
}

/** A commit that nobody waits for any more, and that the store may still get. */
export interface Flight {
  readonly epoch: number;
  readonly from: number;
  readonly seq: number;
}

/** What Redis holds. */
export interface Registry {
  readonly record: Record;
  readonly epochs: number;
  /** Epochs up to this one were given out in an earlier life of the registry. */
  readonly earlier: number;
  /** Resume jobs not yet taken. */
  readonly jobs: readonly { readonly node: number; readonly epoch: number }[];
}

export interface State {
  readonly log: readonly Entry[];
  readonly registry: Registry;
  readonly nodes: readonly Node[];
  readonly flights: readonly Flight[];
  /** A fall-back whose fence stands and whose registry step is still to come. */
  readonly fallBack: { readonly epoch: number; readonly logSeq: number } | undefined;
  readonly copy: Registry | undefined;
  /** Since the registry came back older than it was, until every node has ended or announced what it runs. */
  readonly hold: boolean;
  readonly faultsLeft: number;
}

/** What keeps the promises. Each can be taken away, to see what for it is there. */
export interface Guards {
  /** A takeover appends its fence entry before it moves the registry. */
  readonly fenceFirst: boolean;
  /** A log entry is created, never replaced. */
  readonly createOnly: boolean;
  /** A transition is refused unless the epoch is the one that holds the actor. */
  readonly epochChecked: boolean;
  /** A job is dropped unless the registry is still where the job wants to lead it from. */
  readonly jobChecked: boolean;
  /** A node's VMs end before its lease does. */
  readonly endsBeforeLease: boolean;
  /** A live node ends or leads out what it holds before anyone else declares it over. */
  readonly nodeLeadsFirst: boolean;
  /** A node says when the registry places an activation on it that it does not have. */
  readonly reportsMissing: boolean;
  /** After a commit without an answer, a VM that cannot go on is fenced before the actor may be claimed again. */
  readonly fencesUnknownCommit: boolean;
  /** A registry that came back older gives out no epoch again. */
  readonly newIncarnation: boolean;
  /** … and places nothing until no node runs anything it does not know. */
  readonly announcePeriod: boolean;
  /** The first start of an actor in a new life of the registry fences what that life cannot know of. */
  readonly fencesEarlierLives: boolean;
}

export const allGuards: Guards = {
  fenceFirst: true,
  createOnly: true,
  epochChecked: true,
  jobChecked: true,
  endsBeforeLease: true,
  nodeLeadsFirst: true,
  reportsMissing: true,
  fencesUnknownCommit: true,
  newIncarnation: true,
  announcePeriod: true,
  fencesEarlierLives: true,
};

export interface Bounds {
  readonly nodes: number;
  readonly epochs: number;
  readonly faults: number;
}

export const initialState = ({ nodes, faults }: Bounds): State => ({
  log: [],
  registry: { record: { state: 'suspended', epoch: 0, node: 0, logSeq: 0 }, epochs: 0, earlier: 0, jobs: [] },
  nodes: Array.from({ length: nodes }, () => ({ lease: true, vm: undefined })),
  flights: [],
  fallBack: undefined,
  copy: undefined,
  hold: false,
  faultsLeft: faults,
});

export const newestGeneration = (log: readonly Entry[]): number =>
  log.findLastIndex(({ kind }) => kind === 'snapshot') + 1;

export const isHeld = ({ state }: Record): boolean => state !== 'suspended';
