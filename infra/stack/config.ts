/**
 * The settings of the local stack, from the environment, checked before anything starts: every wrong value and every
 * unknown `DORMOUSE_*` name stands in one `invalid-configuration` error.
 */
import path from 'node:path';
import { readEnvironment } from '../../shared/config/environment.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export interface StackConfig {
  /** Holds all local state. Absolute, as all paths here. */
  readonly home: string;
  readonly host: string;
  readonly port: number;
  /** Unset: the stack runs its own Redis. */
  readonly redisUrl: string | undefined;
  readonly storeUrl: string;
  readonly nodes: number;
  readonly assets: string;
  readonly token: string | undefined;
  /** What api and workers give to requests in flight when they are asked to stop. */
  readonly drainMs: number;
  /** Settings that api and workers read themselves, as they stand in the environment. */
  readonly passedOn: Readonly<Record<string, string>>;
  /** The same for what is the workers' business alone. */
  readonly passedToWorkers: Readonly<Record<string, string>>;
}

const passedOnNames = [
  'DORMOUSE_LOG_LEVEL',
  'DORMOUSE_ACTOR_DOMAIN',
  'DORMOUSE_TOKEN',
  'DORMOUSE_ACCELERATOR',
  'DORMOUSE_NODE_MEMORY_MIB',
  'DORMOUSE_NODE_SLOTS',
  'DORMOUSE_LEASE_MS',
  'DORMOUSE_DRAIN_MS',
  'DORMOUSE_POOL_SIZE',
  'DORMOUSE_MAX_PARKED',
  'DORMOUSE_CACHE_MIB',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'DORMOUSE_SANDBOX',
  'DORMOUSE_SIMULATED_PHASES',
  'DORMOUSE_NODE_JOBS',
] as const;
/** A secret goes to no process that has no use for it. */
const workerNames = ['DORMOUSE_ENCRYPTION_KEYS'] as const;

export type Environment = Readonly<Record<string, string | undefined>>;

export function readStackConfig(environment: Environment): StackConfig {
  const read = readEnvironment(
    environment,
    'DORMOUSE_HOME',
    'DORMOUSE_HOST',
    'DORMOUSE_PORT',
    'DORMOUSE_REDIS_URL',
    'DORMOUSE_STORE',
    'DORMOUSE_NODES',
    'DORMOUSE_ASSETS',
    ...passedOnNames,
    ...workerNames,
  );
  if (read.DORMOUSE_TOKEN === undefined && !isLoopback(read.DORMOUSE_HOST)) {
    throw tokenMissing(read.DORMOUSE_HOST);
  }
  return {
    home: read.DORMOUSE_HOME,
    host: read.DORMOUSE_HOST,
    port: read.DORMOUSE_PORT,
    redisUrl: read.DORMOUSE_REDIS_URL,
    storeUrl: read.DORMOUSE_STORE ?? `file://${path.join(read.DORMOUSE_HOME, 'store')}`,
    nodes: read.DORMOUSE_NODES,
    assets: assetsFolder(environment),
    token: read.DORMOUSE_TOKEN,
    drainMs: read.DORMOUSE_DRAIN_MS,
    passedOn: pick(environment, passedOnNames),
    passedToWorkers: pick(environment, workerNames),
  };
}

const pick = (environment: Environment, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));

/** Where the asset sets of this machine lie: the set-up fills it, the workers read it. */
export function assetsFolder(environment: Environment): string {
  const read = readEnvironment(environment, 'DORMOUSE_HOME', 'DORMOUSE_ASSETS');
  return read.DORMOUSE_ASSETS ?? path.join(read.DORMOUSE_HOME, 'assets');
}

/** 127.0.0.0/8, ::1 and the name that RFC 6761 ties to them. */
export const isLoopback = (host: string): boolean => /^(127(\.\d{1,3}){3}|::1|\[::1\]|localhost)$/.test(host);

function tokenMissing(host: string): DormouseError {
  const message = `required because DORMOUSE_HOST=${host} is reachable from other machines`;
  return new DormouseError('invalid-configuration', `configuration: DORMOUSE_TOKEN: ${message}`, {
    errors: [{ field: 'DORMOUSE_TOKEN', message }],
  });
}
