/**
 * What the api takes and answers. Generated from its description: `npm run generate`.
 */
/** A named, stateful program and where its state is */
export interface Actor {
  readonly id: string;
  readonly namespace: string;
  readonly template: string;
  readonly revision: string;
  readonly state: 'suspended' | 'resuming' | 'running' | 'pausing' | 'paused' | 'suspending' | 'failed' | 'deleting';
  /** When it came into its state */
  readonly since: string;
  /** Why it is in its state, in words */
  readonly reason: string;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly memoryMiB: number;
  readonly coldStart: boolean;
  /** Of its last activation */
  readonly epoch?: string | undefined;
  /** Where it is; none while it is suspended */
  readonly node?: string | undefined;
  /** Where it was last */
  readonly lastNode?: string | undefined;
  /** Of a paused actor: what its node keeps of it; not durable */
  readonly capture?:
    | {
        readonly capturedAt: string;
        readonly sizeBytes: number;
      }
    | undefined;
  /** The newest durable state; 0 is the golden of its template */
  readonly generation: number;
  /** When that was captured */
  readonly durableAt: string;
  readonly durableAgeMs: number;
  /** When its present transition must be over */
  readonly deadlineAt?: string | undefined;
  /** Of the newest generation: `memoryBytes` of the VM, `shippedBytes` in the store */
  readonly sizes?:
    | {
        readonly memoryBytes?: number | undefined;
        readonly shippedBytes?: number | undefined;
        readonly changedPages?: number | undefined;
      }
    | undefined;
  /** How it woke last, with the milliseconds of each phase */
  readonly lastStart?:
    | {
        readonly kind: 'cold' | 'warm' | 'hot';
        readonly at: string;
        readonly phases: Readonly<Record<string, number>>;
      }
    | undefined;
  readonly lastError?:
    | {
        readonly code: string;
        readonly message: string;
        readonly retryable: boolean;
        readonly at: string;
        readonly details?: Readonly<Record<string, unknown>> | undefined;
      }
    | undefined;
}

export interface ActorSpec {
  /** A DNS label; made up when left out */
  readonly id?: string | undefined;
  readonly template: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Its first start boots a VM */
  readonly coldStart?: boolean | undefined;
}

/** A change of the state of an actor, a template or a node */
export interface Event {
  /** Its place in the stream: what Last-Event-ID takes */
  readonly id: string;
  readonly at: string;
  readonly type: 'actor' | 'template' | 'node';
  readonly actor?: string | undefined;
  readonly template?: string | undefined;
  /** Of the actor or the template; none of a node */
  readonly namespace?: string | undefined;
  /** Of a node, itself; of an actor, where it is or was */
  readonly node?: string | undefined;
  /** Absent for what has just come to be */
  readonly from?: string | undefined;
  /** The state now; `gone` for what no longer exists */
  readonly to: string;
  readonly cause: string;
  readonly epoch?: string | undefined;
  readonly generation?: number | undefined;
  /** Milliseconds of the steps that led to this state */
  readonly phases?: Readonly<Record<string, number>> | undefined;
}

/** How a program ended, and what it wrote */
export interface ExecResult {
  /** 128 + n when signal n ended it */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Either output was longer than 1 MiB */
  readonly truncated: boolean;
}

export interface ExecSpec {
  /** The program; looked for in the PATH of the container */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** A container of its template; the first one unless named */
  readonly container?: string | undefined;
  readonly env?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
  readonly stdin?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Why an actor is in its state, and what happens next */
export interface Explanation {
  readonly id: string;
  readonly namespace: string;
  readonly state: 'suspended' | 'resuming' | 'running' | 'pausing' | 'paused' | 'suspending' | 'failed' | 'deleting';
  readonly since: string;
  readonly reason: string;
  readonly waitsFor: string;
  readonly until?: string | undefined;
  readonly then: string;
  readonly lastError?:
    | {
        readonly code: string;
        readonly message: string;
        readonly retryable: boolean;
        readonly at: string;
        readonly details?: Readonly<Record<string, unknown>> | undefined;
      }
    | undefined;
  readonly events: readonly {
    readonly at: string;
    readonly state: string;
    readonly epoch?: string | undefined;
    readonly node?: string | undefined;
    readonly reason: string;
  }[];
}

/** A kept snapshot; generation 0 is the golden of the template */
export interface Generation {
  readonly generation: number;
  readonly seq: number;
  readonly kind: 'golden' | 'snapshot';
  readonly capturedAt: string;
  readonly epoch?: string | undefined;
  readonly node?: string | undefined;
  readonly sizes?:
    | {
        readonly memoryBytes: number;
        readonly shippedBytes: number;
        readonly changedPages: number;
      }
    | undefined;
}

/** A new token */
export interface NewToken {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly ('admin' | 'invoke' | 'read')[];
  readonly rateLimit?:
    | {
        readonly perSecond: number;
        readonly burst: number;
      }
    | undefined;
  readonly namespace?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly createdAt: string;
  /** The token itself; it is not shown again */
  readonly token: string;
}

export interface NewWebhook {
  readonly id: string;
  readonly url: string;
  /** Whose events it is told; of all of them when absent */
  readonly namespace?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly createdAt: string;
  readonly state: 'active' | 'failing' | 'disabled';
  /** When the last batch of events had been delivered */
  readonly deliveredAt?: string | undefined;
  /** Why it is failing or disabled */
  readonly reason?: string | undefined;
  readonly secret: string;
}

/** A machine that runs actors */
export interface Node {
  readonly id: string;
  /** `draining` gets no more actors and suspends those it has; with `usedSlots` 0 it is drained */
  readonly state: 'ready' | 'draining';
  /** Until others may take the node for dead; 0 when they may already */
  readonly leaseMs: number;
  /** Actors that may be awake there at once */
  readonly slots: number;
  readonly usedSlots: number;
  /** Memory that actors may take there */
  readonly memoryMiB: number;
  /** What those awake there take, by their templates */
  readonly usedMemoryMiB: number;
  readonly startedAt: string;
  /** What its VMs are made of; decides which snapshots load there */
  readonly runtime: {
    readonly arch: 'amd64' | 'arm64';
    readonly vmm: 'qemu' | 'simulated';
    readonly vmmVersion: string;
    readonly accelerator: 'kvm' | 'tcg' | 'none';
    readonly machine: string;
    readonly cpuModel: string;
    readonly kernel: string;
    readonly agent: string;
  };
  /** Sandboxes in waiting, by template: `ready` ones a wake only has to fill, and those in the `making` */
  readonly pool: readonly {
    readonly template: string;
    readonly revision: string;
    readonly ready: number;
    readonly making: number;
    readonly namespace: string;
  }[];
}

/** What became of a job */
export interface Operation {
  readonly id: string;
  readonly kind: 'resume' | 'suspend' | 'pause' | 'delete' | 'prepare-template' | 'rebuild';
  readonly target: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed';
  readonly createdAt: string;
  readonly deadlineAt?: string | undefined;
  readonly attempts?: number | undefined;
  readonly finishedAt?: string | undefined;
  readonly node?: string | undefined;
  readonly phases?: Readonly<Record<string, number>> | undefined;
  readonly counts?: Readonly<Record<string, number>> | undefined;
  readonly error?:
    | {
        readonly code: string;
        readonly message: string;
        readonly retryable: boolean;
        readonly at: string;
        readonly details?: Readonly<Record<string, unknown>> | undefined;
      }
    | undefined;
  /** Of its target; none of the registry */
  readonly namespace?: string | undefined;
}

/** A refusal: stable `code`, whether a retry can help, and what to do next */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly nextStep: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly requestId: string;
  readonly errors?:
    | readonly {
        readonly field: string;
        readonly message: string;
      }[]
    | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** An immutable recipe for actors */
export interface Template {
  readonly name: string;
  readonly namespace: string;
  readonly revision: string;
  readonly state: 'preparing' | 'ready' | 'failed' | 'deleting';
  readonly since: string;
  readonly createdAt: string;
  /** The specification, defaults filled in */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly error?:
    | {
        readonly code: string;
        readonly message: string;
        readonly retryable: boolean;
        readonly at: string;
        readonly details?: Readonly<Record<string, unknown>> | undefined;
      }
    | undefined;
  readonly preparedAt?: string | undefined;
  readonly images?:
    | Readonly<
        Record<
          string,
          {
            readonly reference: string;
            readonly digest: string;
            readonly treeDigest: string;
          }
        >
      >
    | undefined;
  readonly golden?:
    | {
        readonly runtime: {
          readonly arch: 'amd64' | 'arm64';
          readonly vmm: 'qemu' | 'simulated';
          readonly vmmVersion: string;
          readonly accelerator: 'kvm' | 'tcg' | 'none';
          readonly machine: string;
          readonly cpuModel: string;
          readonly kernel: string;
          readonly agent: string;
        };
        readonly memoryBytes: number;
        readonly shippedBytes: number;
      }
    | undefined;
}

export interface TemplateSpec {
  readonly name: string;
  readonly containers: readonly {
    readonly name: string;
    /** docker://host/name@sha256:…, oci:<dir>:<tag> or dir:<path> */
    readonly image: string;
    /** Instead of the entry point of the image */
    readonly command?: readonly string[] | undefined;
    /** Instead of the command of the image */
    readonly args?: readonly string[] | undefined;
    /** Over the environment of the image */
    readonly env?: Readonly<Record<string, string>> | undefined;
    readonly cwd?: string | undefined;
    readonly user?: string | undefined;
    /** Where it listens; calls go to that of the first container that has one */
    readonly port?: number | undefined;
    /** When a container counts as ready */
    readonly readiness?:
      | {
          /** A GET of it must answer 200 to 399; without it a connection to the port suffices */
          readonly path?: string | undefined;
          /** That of the container, unless given */
          readonly port?: number | undefined;
          /** Between two attempts; shorter while nobody listens */
          readonly intervalMs?: number | undefined;
        }
      | undefined;
    /** Calls before the golden is captured; what they change is in each new actor */
    readonly warmUp?:
      | {
          /** A GET of each, in order, must answer 200 to 399 */
          readonly paths: readonly string[];
          /** How often the list is gone through */
          readonly times?: number | undefined;
          /** That of the container, unless given */
          readonly port?: number | undefined;
        }
      | undefined;
    readonly limits?:
      | {
          readonly memoryMiB?: number | undefined;
          readonly pids?: number | undefined;
          readonly cpus?: number | undefined;
        }
      | undefined;
    /** The most that it may write; what is written lies in guest memory */
    readonly upperMiB?: number | undefined;
  }[];
  /** Of the VM */
  readonly memoryMiB?: number | undefined;
  readonly vcpus?: number | undefined;
  /** Without a call for so long, an actor goes to sleep */
  readonly idleTimeoutMs?: number | undefined;
  /** The longest that a call waits for a wake */
  readonly wakeTimeoutMs?: number | undefined;
  /** Calls that may wait for one wake; more are refused */
  readonly maxPendingRequests?: number | undefined;
  /** Snapshots that are kept */
  readonly retainGenerations?: number | undefined;
  /** What its actors may reach; nothing unless given */
  readonly egress?:
    | {
        /** IPv4 networks, as 198.51.100.0/24 */
        readonly allow?: readonly string[] | undefined;
      }
    | undefined;
  readonly sandboxClass?: 'microvm' | undefined;
}

/** What a token allows */
export interface Token {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly ('admin' | 'invoke' | 'read')[];
  readonly rateLimit?:
    | {
        readonly perSecond: number;
        readonly burst: number;
      }
    | undefined;
  readonly namespace?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly createdAt: string;
}

/** A token to be made */
export interface TokenSpec {
  /** For people: who or what has it */
  readonly name: string;
  /** `invoke` calls actors, `read` reads, `admin` does everything */
  readonly scopes: readonly ('admin' | 'invoke' | 'read')[];
  /** In each api process; `burst` is `perSecond`, rounded up, unless given */
  readonly rateLimit?:
    | {
        readonly perSecond: number;
        readonly burst?: number | undefined;
      }
    | undefined;
  /** The only one that it works in; any unless given */
  readonly namespace?: string | undefined;
  readonly expiresAt?: string | undefined;
}

/** Who is told of events, and how that goes */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  /** Whose events it is told; of all of them when absent */
  readonly namespace?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly createdAt: string;
  readonly state: 'active' | 'failing' | 'disabled';
  /** When the last batch of events had been delivered */
  readonly deliveredAt?: string | undefined;
  /** Why it is failing or disabled */
  readonly reason?: string | undefined;
}

export interface WebhookSpec {
  /** Gets a POST for each event; redirects are not followed */
  readonly url: string;
  /** `whsec_` and base64; made up when left out */
  readonly secret?: string | undefined;
  /** As `actor`, or `actor.running`; every event when left out */
  readonly events?: readonly string[] | undefined;
}

/** What became of a message that was sent as a test */
export interface WebhookTest {
  readonly delivered: boolean;
  /** Why the receiver did not take it */
  readonly reason?: string | undefined;
}
