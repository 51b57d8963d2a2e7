/** The parts a node's jobs work with, made once by main.ts. */
import type { ObjectStore } from '../shared/object-store/object-store.ts';
import type { Registry } from '../shared/registry/registry.ts';
import type { TemplateCache } from '../shared/registry/template-cache.ts';
import type { JobSender } from '../shared/jobs/queues.ts';
import type { Logger } from '../shared/telemetry/logger.ts';
import type { ActivationTable } from './activation/activation.ts';
import type { CaptureTable } from './activation/local-capture.ts';
import type { ImageStore } from './images/image-store.ts';
import type { SandboxPool } from './pool/pool.ts';
import type { SandboxClass } from './sandbox/sandbox.ts';
import type { SnapshotBlobs } from './snapshot/blobs.ts';
import type { GoldenCache } from './snapshot/golden-cache.ts';
import type { KnownLogs } from './snapshot/known-logs.ts';

export interface NodeContext {
  readonly nodeId: string;
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly blobs: SnapshotBlobs;
  readonly sender: JobSender;
  readonly images: ImageStore;
  readonly sandboxes: SandboxClass;
  readonly goldens: GoldenCache;
  readonly knownLogs: KnownLogs;
  readonly templates: TemplateCache;
  readonly pool: SandboxPool;
  readonly activations: ActivationTable;
  readonly captures: CaptureTable;
  /** For captures and downloads on their way; each job makes a folder of its own in it. */
  readonly transferFolder: string;
  /** How long requests in flight may go on before a suspend breaks them off. */
  readonly drainMs: number;
  readonly log: Logger;
}
