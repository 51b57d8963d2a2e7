/**
 * The actor's life, as a pure function of (state, request).
 *
 *                 claim (epoch + 1)
 *   suspended ───────────────────────► resuming ──────► running ◄──────┐
 *      ▲  ▲ ▲          wake failed        │  │ ▲           │ │ │        │ capture failed, rolled back
 *      │  │ └──────────────────────────────┘  │ │           │ │ └──► pausing
 *      │  └───────────────────────────────────┼─┼ node lost ┘ │        │ captured on its node
 *      │                                      │ └── claim ────┼───── paused ◄── wake or commit failed
 *      │ committed                            ▼ damaged       ▼        │
 *      └───────────────────────────────── failed             suspending ◄ suspend (ships the capture)
 *                                                             │
 *                                                             └──► running (commit failed, rolled back)
 *
 *   any state ──► deleting ──► gone
 *
 * Each state that a node holds (resuming, running, pausing, paused, suspending) falls back to `suspended` at the newest
 * committed generation when that node is lost. Transitional states (resuming, suspending, pausing, deleting) always carry
 * a deadline in the registry.
 */

export const actorStates = [
  'suspended',
  'resuming',
  'running',
  'pausing',
  'paused',
  'suspending',
  'failed',
  'deleting',
] as const;
export type ActorState = (typeof actorStates)[number];

export const actorRequests = ['resume', 'suspend', 'pause', 'delete'] as const;
export type ActorRequest = (typeof actorRequests)[number];

/** Every move the registry may make. A move that is not here is a defect and throws before it reaches Redis. */
const moves: Readonly<Record<ActorState, readonly ActorState[]>> = {
  suspended: ['resuming', 'deleting'],
  resuming: ['running', 'paused', 'suspended', 'failed', 'deleting'],
  running: ['suspending', 'pausing', 'suspended', 'deleting'],
  pausing: ['paused', 'running', 'suspended', 'deleting'],
  paused: ['resuming', 'suspending', 'suspended', 'deleting'],
  suspending: ['suspended', 'running', 'paused', 'deleting'],
  failed: ['resuming', 'suspended', 'deleting'],
  deleting: [],
};

export const mayMove = (from: ActorState, to: ActorState): boolean => moves[from].includes(to);

/** The states that somebody must lead the actor out of, before a deadline. */
const transitional: ReadonlySet<ActorState> = new Set(['resuming', 'pausing', 'suspending', 'deleting']);
export const isTransitional = (state: ActorState): boolean => transitional.has(state);

export type Decision =
  | { readonly kind: 'accept' }
  /** The request's goal holds already, or is under way. */
  | { readonly kind: 'already' }
  /** Another transition must end first; ask again when it has. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'refuse'; readonly reason: string };

const accept: Decision = { kind: 'accept' };
const already: Decision = { kind: 'already' };
const wait: Decision = { kind: 'wait' };
const gone: Decision = { kind: 'refuse', reason: 'the actor is being deleted' };

const asleep: Decision = { kind: 'refuse', reason: 'the actor is asleep: only a running one can be paused' };
const notRunning: Decision = { kind: 'refuse', reason: 'the actor failed to resume: it is not running' };

const decisions: Readonly<Record<ActorState, Readonly<Record<ActorRequest, Decision>>>> = {
  suspended: { resume: accept, suspend: already, pause: asleep, delete: accept },
  resuming: { resume: already, suspend: wait, pause: wait, delete: wait },
  running: { resume: already, suspend: accept, pause: accept, delete: accept },
  pausing: { resume: wait, suspend: wait, pause: already, delete: wait },
  paused: { resume: accept, suspend: accept, pause: already, delete: accept },
  suspending: { resume: wait, suspend: already, pause: wait, delete: wait },
  failed: { resume: accept, suspend: notRunning, pause: notRunning, delete: accept },
  deleting: { resume: gone, suspend: gone, pause: gone, delete: already },
};

export const decide = (state: ActorState, request: ActorRequest): Decision => decisions[state][request];
