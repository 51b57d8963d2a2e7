/** What the api is made of: opened by main.ts (or a test), used by routes, router and scheduler. */
import type { JobSender } from '../shared/jobs/queues.ts';
import type { ObjectStore } from '../shared/object-store/object-store.ts';
import type { Registry } from '../shared/registry/registry.ts';
import type { Logger } from '../shared/telemetry/logger.ts';
import type { Meters } from '../shared/telemetry/meters.ts';
import type { Tracing } from '../shared/telemetry/tracing.ts';
import type { FairGate } from './scheduler/fair-gate.ts';
import type { SeenNodes } from './scheduler/seen-nodes.ts';

export interface ApiParts {
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly jobs: JobSender;
  /** By lane: choosing a node, claiming, and sending the job. */
  readonly starts: FairGate;
  readonly seen: SeenNodes;
  readonly log: Logger;
  readonly meters: Meters;
  readonly tracing: Tracing;
  /** Required of every caller but those of the health and description routes; undefined: none is asked for. */
  readonly token: string | undefined;
  /** `{id}.<actorDomain>` reaches an actor. */
  readonly actorDomain: string;
  /** Calls that may wait for room at once. */
  readonly maxParked: number;
}
