/**
 * What a wake-up is compared with, measured in the same run: a job that passes through BullMQ and does nothing, and a call
 * over two plain Fastify hops to a server that does nothing. Both in this process, so that no other process's idling counts
 * in their processor time. The rate of such jobs says how fast the machine is at this hour, other work on it included.
 */
import replyFrom from '@fastify/reply-from';
import { Queue, Worker } from 'bullmq';
import fastify from 'fastify';
import { Redis } from 'ioredis';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { cpuMs } from '../process-look.ts';

export interface Reference {
  /** Added and done by one process, by the clock on the wall; the median of as many measurements as there were bursts. */
  readonly bullmqJobsPerSecond: number;
  /** Processor time of one job through BullMQ, Redis' included, in milliseconds. */
  readonly bullmqCpuMs: number;
  /** Of one call over two hops, caller and server included. */
  readonly twoHopsCpuMs: number;
}

/** Enough for the compiler to have seen everything, and half a second of work. */
const rounds = 3000;
/** As many at once as a node works on by default. */
const lanes = 8;
/** So many at once that neither side waits for the other. */
const rateLanes = 64;
/** Half a second or one; after the first, the compiler has seen everything. */
const stretchJobs = 4000;

export interface ReferenceMeter extends AsyncDisposable {
  /** Jobs that do nothing, by the clock on the wall, at this moment. */
  bullmqJobsPerSecond(): Promise<number>;
  costs(): Promise<Omit<Reference, 'bullmqJobsPerSecond'>>;
}

export async function openReference(redisUrl: string, redisPids: readonly number[]): Promise<ReferenceMeter> {
  await using undo = new AsyncDisposableStack();
  const bullmq = undo.use(openBullmq(redisUrl, rateLanes));
  await inLanes(rateLanes, stretchJobs, bullmq.pass);
  const resources = undo.move();
  return {
    async bullmqJobsPerSecond() {
      const began = performance.now();
      await inLanes(rateLanes, stretchJobs, bullmq.pass);
      return Math.round((1000 * stretchJobs) / (performance.now() - began));
    },
    costs: async () => ({
      bullmqCpuMs: await cpuOfJob(redisUrl, [process.pid, ...redisPids]),
      twoHopsCpuMs: await cpuOfTwoHops(),
    }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type Round = () => Promise<unknown>;

async function inLanes(count: number, rounds: number, round: Round): Promise<void> {
  let left = rounds;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await round();
  };
  await Promise.all(Array.from({ length: count }, lane));
}

/** The second half of the rounds counts. */
async function cpuOfRound(pids: readonly number[], round: Round): Promise<number> {
  await inLanes(lanes, rounds / 2, round);
  const before = await cpuMs(pids);
  await inLanes(lanes, rounds / 2, round);
  return Math.round((1000 * ((await cpuMs(pids)) - before)) / (rounds / 2)) / 1000;
}

async function cpuOfJob(redisUrl: string, pids: readonly number[]): Promise<number> {
  await using bullmq = openBullmq(redisUrl, lanes);
  return await cpuOfRound(pids, bullmq.pass);
}

interface Bullmq extends AsyncDisposable {
  /** Adds a job; resolves when it is being done. */
  readonly pass: () => Promise<void>;
}

let queues = 0;

function openBullmq(redisUrl: string, concurrency: number): Bullmq {
  const name = `reference-${++queues}`; // the jobs of one are not another's
  const resources = new AsyncDisposableStack();
  const connect = (): Redis => {
    const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
    resources.defer(() => redis.disconnect());
    return redis;
  };
  const place = { prefix: '{reference}' };
  const options = { removeOnComplete: true, removeOnFail: true };
  const queue = new Queue(name, { connection: connect(), ...place });
  resources.defer(() => queue.close());
  const done = new Map<string, () => void>();
  const take = (job: { name: string }): Promise<void> => Promise.resolve(done.get(job.name)?.());
  const worker = new Worker(name, take, { connection: connect(), ...place, concurrency });
  resources.defer(() => worker.close());
  let count = 0;
  return {
    pass: async () => {
      const job = String(++count);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      done.set(job, () => resolve(undefined));
      await queue.add(job, { job }, options);
      await promise;
      done.delete(job);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function cpuOfTwoHops(): Promise<number> {
  await using undo = new AsyncDisposableStack();
  const server = createServer((_request, response) => response.end('{"ok":true}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.defer(() => void server.close());
  const hop = async (base: string): Promise<string> => {
    const app = fastify();
    await app.register(replyFrom, { base });
    app.all('/*', (request, reply) => reply.from(request.url));
    undo.defer(() => app.close());
    return await app.listen({ port: 0, host: '127.0.0.1' });
  };
  const url = await hop(await hop(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  const pool = new Pool(url, { connections: lanes });
  undo.defer(() => pool.destroy());
  return await cpuOfRound([process.pid], async () => {
    const { body } = await pool.request({ method: 'GET', path: '/' });
    await body.text();
  });
}
