/**
 * What a wake-up is compared with, measured in the same run: a job that passes through BullMQ and does nothing, and a call
 * over two plain Fastify hops to a server that does nothing. Both in this process, so that no other process's idling counts.
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
  /** Processor time of one job through BullMQ, Redis' included, in milliseconds. */
  readonly bullmqCpuMs: number;
  /** Of one call over two hops, caller and server included. */
  readonly twoHopsCpuMs: number;
}

/** Enough for the compiler to have seen everything, and half a second of work. */
const rounds = 3000;
/** As many at once as a node works on by default. */
const lanes = 8;

export async function measureReference(redisUrl: string, redisPids: readonly number[]): Promise<Reference> {
  return {
    bullmqCpuMs: await cpuOfJob(redisUrl, [process.pid, ...redisPids]),
    twoHopsCpuMs: await cpuOfTwoHops(),
  };
}

/** The second half of the rounds counts. */
async function cpuOfRound(pids: readonly number[], round: () => Promise<unknown>): Promise<number> {
  const half = async (): Promise<void> => {
    let left = rounds / 2;
    const lane = async (): Promise<void> => {
      while (left-- > 0) await round();
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
  await half();
  const before = await cpuMs(pids);
  await half();
  return Math.round((1000 * ((await cpuMs(pids)) - before)) / (rounds / 2)) / 1000;
}

async function cpuOfJob(redisUrl: string, pids: readonly number[]): Promise<number> {
  await using undo = new AsyncDisposableStack();
  const connect = (): Redis => {
    const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
    undo.defer(() => redis.disconnect());
    return redis;
  };
  const place = { prefix: '{reference}' };
  const options = { removeOnComplete: true, removeOnFail: true };
  const queue = new Queue('reference', { connection: connect(), ...place });
  undo.defer(() => queue.close());
  const done = new Map<string, () => void>();
  const take = ({ name }: { name: string }): Promise<void> => Promise.resolve(done.get(name)?.());
  const worker = new Worker('reference', take, { connection: connect(), ...place, concurrency: lanes });
  undo.defer(() => worker.close());
  let count = 0;
  return await cpuOfRound(pids, async () => {
    const name = String(++count);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    done.set(name, () => resolve(undefined));
    await queue.add(name, { name }, options);
    await promise;
    done.delete(name);
  });
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
