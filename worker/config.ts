/** What a worker reads from its environment. */
import { totalmem } from 'node:os';
import path from 'node:path';
import { readEnvironment } from '../shared/config/environment.ts';
import type { KeyRing } from '../shared/encryption/key-ring.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import type { LogLevel } from '../shared/telemetry/logger.ts';
import { networkOwner } from './node/network-owner.ts';
import { phaseTimesSchema, type PhaseTimes } from './sandbox/simulated/phase-times.ts';

export interface WorkerConfig {
  readonly nodeId: string;
  readonly host: string;
  /** Of the worker's own health pages; 0 takes a free one. */
  readonly metricsPort: number;
  readonly redisUrl: string;
  readonly storeUrl: string;
  readonly assetsFolder: string;
  readonly logLevel: LogLevel;
  /** Where spans go; undefined: nowhere. */
  readonly otlpEndpoint: string | undefined;
  readonly accelerator: 'auto' | 'kvm' | 'tcg';
  readonly sandbox: 'microvm' | 'simulated';
  readonly simulatedTimes: PhaseTimes;
  /** Jobs it works on at once. */
  readonly jobs: number;
  readonly slots: number;
  readonly memoryMiB: number;
  readonly leaseMs: number;
  readonly drainMs: number;
  readonly cacheBytes: number;
  /** Most sandboxes that wait for a wake at once; 0: none. */
  readonly poolSize: number;
  readonly networkOwner: string;
  /** Empty: snapshots are not encrypted. */
  readonly keyRing: KeyRing;
  readonly folders: NodeFolders;
}

export interface NodeFolders {
  readonly node: string;
  /** Sockets and shared folders of VMs. */
  readonly run: string;
  /** A tmpfs: guest memory and unpacked goldens. */
  readonly memory: string;
  readonly images: string;
  readonly cache: string;
  readonly transfer: string;
}

/** The rest of the machine needs some memory too, and guests rarely touch all of theirs. */
const guestMemoryShare = 0.6;
/** sun_path holds 108 bytes with its end; what we append to the run folder is at most `/9999999/agent.sock`. */
const maxRunFolderLength = 107 - '/9999999/agent.sock'.length;

export function readWorkerConfig(environment: Readonly<Record<string, string | undefined>>): WorkerConfig {
  const values = readEnvironment(
    environment,
    'DORMOUSE_HOME',
    'DORMOUSE_HOST',
    'DORMOUSE_REDIS_URL',
    'DORMOUSE_STORE',
    'DORMOUSE_ASSETS',
    'DORMOUSE_NODES',
    'DORMOUSE_NODE_ID',
    'DORMOUSE_METRICS_PORT',
    'DORMOUSE_NODE_MEMORY_MIB',
    'DORMOUSE_NODE_SLOTS',
    'DORMOUSE_LOG_LEVEL',
    'DORMOUSE_ACCELERATOR',
    'DORMOUSE_SANDBOX',
    'DORMOUSE_SIMULATED_PHASES',
    'DORMOUSE_NODE_JOBS',
    'DORMOUSE_LEASE_MS',
    'DORMOUSE_DRAIN_MS',
    'DORMOUSE_CACHE_MIB',
    'DORMOUSE_POOL_SIZE',
    'DORMOUSE_ENCRYPTION_KEYS',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  );
  const home = values.DORMOUSE_HOME;
  const nodeId = values.DORMOUSE_NODE_ID;
  if (values.DORMOUSE_REDIS_URL === undefined) {
    throw new DormouseError('invalid-configuration', 'configuration: DORMOUSE_REDIS_URL: a worker needs one');
  }
  const shareMiB = Math.floor((totalmem() / 1024 / 1024 / values.DORMOUSE_NODES) * guestMemoryShare);
  return {
    nodeId,
    host: values.DORMOUSE_HOST,
    metricsPort: values.DORMOUSE_METRICS_PORT,
    redisUrl: values.DORMOUSE_REDIS_URL,
    storeUrl: values.DORMOUSE_STORE ?? `file://${path.join(home, 'store')}`,
    assetsFolder: values.DORMOUSE_ASSETS ?? path.join(home, 'assets'),
    logLevel: values.DORMOUSE_LOG_LEVEL,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    accelerator: values.DORMOUSE_ACCELERATOR,
    sandbox: values.DORMOUSE_SANDBOX,
    simulatedTimes: simulatedTimes(values.DORMOUSE_SIMULATED_PHASES),
    jobs: values.DORMOUSE_NODE_JOBS,
    slots: values.DORMOUSE_NODE_SLOTS,
    memoryMiB: values.DORMOUSE_NODE_MEMORY_MIB ?? shareMiB,
    leaseMs: values.DORMOUSE_LEASE_MS,
    drainMs: values.DORMOUSE_DRAIN_MS,
    cacheBytes: values.DORMOUSE_CACHE_MIB * 1024 * 1024,
    poolSize: values.DORMOUSE_POOL_SIZE,
    keyRing: values.DORMOUSE_ENCRYPTION_KEYS ?? [],
    networkOwner: networkOwner(home, nodeId),
    folders: foldersOf(path.join(home, 'nodes', nodeId)),
  };
}

function simulatedTimes(text: string | undefined): PhaseTimes {
  const parsed = phaseTimesSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  const words = parsed.error.issues.map(({ message }) => message).join(', ');
  throw new DormouseError('invalid-configuration', `configuration: DORMOUSE_SIMULATED_PHASES: ${words}`);
}

function foldersOf(node: string): NodeFolders {
  const run = path.join(node, 'run');
  if (Buffer.byteLength(run) > maxRunFolderLength) {
    throw new DormouseError(
      'invalid-configuration',
      `configuration: DORMOUSE_HOME: ${run} is too long for the sockets in it; choose a home with a shorter path`,
    );
  }
  return {
    node,
    run,
    memory: path.join(node, 'memory'),
    images: path.join(node, 'images'),
    cache: path.join(node, 'cache'),
    transfer: path.join(node, 'transfer'),
  };
}
