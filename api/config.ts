/** The api's settings. Failure: `invalid-configuration` that names every wrong or missing one. */
import { BlockList, isIP } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { readEnvironment } from '../shared/config/environment.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import type { LogLevel } from '../shared/telemetry/logger.ts';

export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  readonly redisUrl: string;
  readonly storeUrl: string;
  readonly token: string | undefined;
  readonly actorDomain: string;
  readonly logLevel: LogLevel;
  /** Where spans go; undefined: nowhere. */
  readonly otlpEndpoint: string | undefined;
  /** How long requests in flight may go on once the process was asked to stop. */
  readonly drainMs: number;
  /** A node may be taken for dead when its lease has been over for this long. */
  readonly leaseMs: number;
  readonly maxParked: number;
}

export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): ApiConfig {
  const read = readEnvironment(
    environment,
    'DORMOUSE_HOME',
    'DORMOUSE_HOST',
    'DORMOUSE_PORT',
    'DORMOUSE_REDIS_URL',
    'DORMOUSE_STORE',
    'DORMOUSE_TOKEN',
    'DORMOUSE_LOG_LEVEL',
    'DORMOUSE_ACTOR_DOMAIN',
    'DORMOUSE_DRAIN_MS',
    'DORMOUSE_LEASE_MS',
    'DORMOUSE_MAX_PARKED',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  );
  const redisUrl = read.DORMOUSE_REDIS_URL;
  if (redisUrl === undefined) throw missing('DORMOUSE_REDIS_URL', 'the api needs a Redis: redis://host:port');
  if (read.DORMOUSE_TOKEN === undefined && !isLoopback(read.DORMOUSE_HOST)) {
    throw missing('DORMOUSE_TOKEN', `a token is required when the api is bound to ${read.DORMOUSE_HOST}`);
  }
  return {
    host: read.DORMOUSE_HOST,
    port: read.DORMOUSE_PORT,
    redisUrl,
    storeUrl: read.DORMOUSE_STORE ?? pathToFileURL(path.join(read.DORMOUSE_HOME, 'store')).href,
    token: read.DORMOUSE_TOKEN,
    actorDomain: read.DORMOUSE_ACTOR_DOMAIN.toLowerCase(),
    logLevel: read.DORMOUSE_LOG_LEVEL,
    otlpEndpoint: read.OTEL_EXPORTER_OTLP_ENDPOINT,
    drainMs: read.DORMOUSE_DRAIN_MS,
    leaseMs: read.DORMOUSE_LEASE_MS,
    maxParked: read.DORMOUSE_MAX_PARKED,
  };
}

const missing = (field: string, message: string): DormouseError =>
  new DormouseError('invalid-configuration', `configuration: ${field}: ${message}`, { errors: [{ field, message }] });

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** A name other than localhost may resolve to anything, so it does not count. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host === 'localhost';
  return loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}
