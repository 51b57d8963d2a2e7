/**
 * The sandbox port: what the lifecycle jobs see of whatever runs an actor. A capture is a set of parts, each a file with
 * a size and a digest; what is inside is the class's own business.
 *
 *   boot ──► start ──► (ready) ◄── wake ── restore ◄── prepare
 *                        │  ▲
 *                 freeze ▼  │ thaw
 *                      (frozen) ──► capture
 *
 * A restore has two halves. What `prepare` makes is the same for every actor of a template and can be made before any
 * actor asks; the rest needs the actor's own state. Disposing a sandbox ends it in any state and leaves nothing behind.
 */
import type { RuntimeKey } from '../../shared/snapshot/manifest.ts';
import type { GuestSessions } from '../guest/guest-sessions.ts';
import type { PhaseClock } from './phase-clock.ts';

/** An image's read-only root, under the name its container has. */
export interface Lower {
  readonly container: string;
  /** Mounts it below the shared folder; disposing unmounts it. */
  attach(sharedFolder: string): Promise<AsyncDisposable>;
}

export interface SandboxSpec {
  /** For folder names and logs: `<actor or template>`. */
  readonly label: string;
  readonly memoryMiB: number;
  readonly vcpus: number;
  readonly egress: { readonly allow: readonly string[] };
  readonly lowers: readonly Lower[];
}

export interface ContainerStart {
  readonly name: string;
  /** OCI runtime config.json. */
  readonly config: object;
  readonly probe?: { readonly path?: string; readonly port: number; readonly intervalMs: number };
  readonly upperSizeBytes: number;
}

/** Who the guest is told to be; becomes /run/dormouse/actor.json. */
export interface Identity {
  readonly id: string;
  readonly uid: string;
  readonly template: string;
  readonly revision: string;
  readonly epoch: string;
  readonly generation: number;
  readonly node: string;
}

export interface CapturedPart {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface Capture {
  readonly memorySizeBytes: number;
  readonly pageCount: number;
  /** Looked at to find those; all of the memory when nothing told which could have changed. */
  readonly comparedPages: number;
  /** The memory part carries only what changed since the restore: it lies over what was restored. */
  readonly isOnTop: boolean;
  readonly memory: CapturedPart;
  readonly device: CapturedPart;
}

/** Local files with an actor's own state, already checked against their digests. */
export interface OwnState {
  /** Pages laid over the base, one part after the other; none when the actor is its base. */
  readonly memoryPaths: readonly string[];
  readonly devicePath: string;
}

/** A sandbox that has everything but the state of an actor, and has never run. It becomes one sandbox at most. */
export interface PreparedSandbox extends AsyncDisposable {
  /** Resolves when it ends without being disposed. */
  readonly exited: Promise<string>;
  /** What it holds of the machine's memory. */
  readonly memoryBytes: number;
  /** Puts the actor's state in and lets it run. On a failure nothing has run, and the prepared sandbox is disposed. */
  restore(own: OwnState, clock: PhaseClock, signal: AbortSignal): Promise<Sandbox>;
}

export interface CaptureOptions {
  readonly mayLieOnTop: boolean;
}

export interface Sandbox extends AsyncDisposable {
  /** Below the node's run folder. Every process of the sandbox has a path in it on its command line: so it is found. */
  readonly folder: string;
  /** Address whose TCP ports are the guest's. */
  readonly address: string;
  /** Resolves with the words of the end when the sandbox ends without being disposed. */
  readonly exited: Promise<string>;
  /** Starts the containers and returns once each is ready. Throws with the guest's dump in `details`. */
  start(containers: readonly ContainerStart[], timeoutMs: number, signal: AbortSignal): Promise<void>;
  /**
   * Leaves the guest alone for a moment, with nobody connected to its agent: what it still does behind its program's start
   * would else be in the golden, and go on in each actor. Nobody may be in a session.
   */
  rest(signal: AbortSignal): Promise<void>;
  /** Sets clock, entropy and identity; the first request may come afterwards. None: it is nobody's yet. */
  wake(identity: Identity | undefined, signal: AbortSignal): Promise<void>;
  /** Programs, files and logs inside of it. None may be opened while it is frozen; freezing ends those that last. */
  readonly sessions: GuestSessions;
  /** Phases: `quiesce`, while it still runs, and `freeze`. */
  freeze(clock: PhaseClock, signal: AbortSignal): Promise<void>;
  /**
   * Writes what differs from the base into a folder. The sandbox is frozen before and after. With `mayLieOnTop` it may be
   * what changed since the restore instead, if that is much less: then what was restored must be kept as well.
   */
  capture(
    folder: string,
    baseMemoryPath: string | undefined,
    signal: AbortSignal,
    options?: CaptureOptions,
  ): Promise<Capture>;
  thaw(signal: AbortSignal): Promise<void>;
}

export interface SandboxClass {
  readonly runtime: RuntimeKey;
  boot(spec: SandboxSpec, clock: PhaseClock, signal: AbortSignal): Promise<Sandbox>;
  /** `baseMemoryPath`: memory that the actor's pages will be laid over; none when they are all there is. */
  prepare(
    spec: SandboxSpec,
    baseMemoryPath: string | undefined,
    clock: PhaseClock,
    signal: AbortSignal,
  ): Promise<PreparedSandbox>;
  /**
   * Makes a base memory file out of a golden's memory part, complete or not at all. The part may still be arriving: a
   * stream that fails at its end was not the golden's, and nothing is left of it.
   */
  unpackBase(
    memory: AsyncIterable<Uint8Array>,
    memorySizeBytes: number,
    target: string,
    signal: AbortSignal,
  ): Promise<void>;
}
