/**
 * The environment, parsed once. Each process names the settings it reads; every `DORMOUSE_*` name that no process knows
 * is refused, and all wrong values stand in one error.
 */
import path from 'node:path';
import { z } from 'zod';
import { namespaceSchema } from '../actor/namespace.ts';
import { keyRingSchema } from '../encryption/key-ring.ts';
import { DormouseError, type FieldError } from '../errors/dormouse-error.ts';
import { logLevels } from '../telemetry/logger.ts';
import { parseClusterUrl } from '../registry/redis/cluster-url.ts';
import { parseSocketUrl } from '../registry/redis/socket-url.ts';
import { nodeIdSchema } from './node-id.ts';

const port = z.coerce.number().int().min(0).max(65535);

const serverUrl = z.url({ protocol: /^rediss?$/ });
export const redisUrlSchema = z
  .string()
  .refine(
    (url) =>
      serverUrl.safeParse(url).success || parseClusterUrl(url) !== undefined || parseSocketUrl(url) !== undefined,
    'redis://host:port, rediss://host:port, redis+cluster://host:port,host:port or redis+unix:///path/redis.sock',
  );

/** Every setting there is, with its default. A process picks what it needs. */
export const settings = {
  DORMOUSE_HOME: z
    .string()
    .min(1)
    .default('.dormouse')
    .transform((home) => path.resolve(home)),
  DORMOUSE_HOST: z.string().min(1).default('127.0.0.1'),
  DORMOUSE_PORT: port.default(7070),
  DORMOUSE_REDIS_URL: redisUrlSchema.optional(),
  DORMOUSE_STORE: z
    .string()
    .regex(/^(file|s3|gs):\/\//, 'file://, s3:// or gs://')
    .optional(),
  DORMOUSE_NODES: z.coerce.number().int().min(1).max(16).default(2),
  DORMOUSE_NODE_ID: nodeIdSchema.default('node-1'),
  DORMOUSE_METRICS_PORT: port.default(0),
  DORMOUSE_NODE_MEMORY_MIB: z.coerce.number().int().min(256).optional(),
  DORMOUSE_NODE_SLOTS: z.coerce.number().int().min(1).max(10_000).default(32),
  DORMOUSE_TOKEN: z.string().min(16, 'at least 16 characters').optional(),
  DORMOUSE_LOG_LEVEL: z.enum(logLevels).default('info'),
  DORMOUSE_ACTOR_DOMAIN: z.hostname().default('actors.localhost'),
  DORMOUSE_ASSETS: z
    .string()
    .min(1)
    .transform((dir) => path.resolve(dir))
    .optional(),
  DORMOUSE_ACCELERATOR: z.enum(['auto', 'kvm', 'tcg']).default('auto'),
  /** Anything but micro-VMs is for measuring, and has to be asked for. */
  DORMOUSE_SANDBOX: z.enum(['microvm', 'simulated']).default('microvm'),
  DORMOUSE_SIMULATED_PHASES: z.string().optional(),
  DORMOUSE_NODE_JOBS: z.coerce.number().int().min(1).max(1000).default(8),
  // Shorter than this, what is left of a lease between two renewals is too little for placement to build on.
  DORMOUSE_LEASE_MS: z.coerce.number().int().min(3000).max(60_000).default(10_000),
  DORMOUSE_DRAIN_MS: z.coerce.number().int().min(0).max(600_000).default(30_000),
  DORMOUSE_CACHE_MIB: z.coerce.number().int().min(0).max(1_000_000).default(1024),
  DORMOUSE_POOL_SIZE: z.coerce.number().int().min(0).max(100).default(4),
  DORMOUSE_MAX_PARKED: z.coerce.number().int().min(0).max(100_000).default(1000),
  DORMOUSE_ENCRYPTION_KEYS: keyRingSchema.optional(),
  DORMOUSE_DEBIAN_MIRROR: z.url({ protocol: /^https?$/ }).optional(),
  DORMOUSE_NAMESPACE: namespaceSchema.optional(),
  DORMOUSE_URL: z.url({ protocol: /^https?$/ }).optional(),
  // OpenTelemetry's own names, which every exporter and its operators know.
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional(),
} as const;

export type SettingName = keyof typeof settings;

type Picked<Names extends SettingName> = { [Name in Names]: z.infer<(typeof settings)[Name]> };

/** Reads the named settings. Throws `invalid-configuration` with one field error per wrong or unknown name. */
export function readEnvironment<Names extends SettingName>(
  environment: Readonly<Record<string, string | undefined>>,
  ...names: Names[]
): Picked<Names> {
  const errors: FieldError[] = [];
  for (const name of Object.keys(environment)) {
    if (name.startsWith('DORMOUSE_') && !Object.hasOwn(settings, name)) {
      errors.push({ field: name, message: 'no setting has this name' });
    }
  }
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of names) {
    // An empty variable counts as unset: that is how shells and unit files clear one.
    const parsed = settings[name].safeParse(environment[name] === '' ? undefined : environment[name]);
    if (parsed.success) values[name] = parsed.data;
    else errors.push({ field: name, message: parsed.error.issues.map((issue) => issue.message).join(', ') });
  }
  if (errors.length > 0) {
    const list = errors.map((error) => `${error.field}: ${error.message}`).join('; ');
    throw new DormouseError('invalid-configuration', `configuration: ${list}`, { errors });
  }
  return values as Picked<Names>;
}
