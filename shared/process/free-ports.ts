/**
 * Ports of 127.0.0.1 that nobody uses now. They are free again before a server takes them, so they are chosen at random, and
 * from below those that the kernel lends to connections: otherwise any connection of anybody might be given one of them first.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';

/** Below it are the ports that well-known servers have. */
const lowest = 10_240;
/** Where the kernel lends nearly all ports, it chooses. */
const leastChoice = 1000;
/** As many ports taken in a row are no accident. */
const attempts = 100;

/** Held open together, so that no two are the same. */
export async function freePorts(count: number): Promise<number[]> {
  const lent = await firstLentPort();
  const servers: Server[] = [];
  try {
    while (servers.length < count) servers.push(await listenSomewhere(lent));
    return servers.map((server) => (server.address() as { port: number }).port);
  } finally {
    await Promise.all(servers.map((server) => once(server.close(), 'close')));
  }
}

async function listenSomewhere(end: number): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const server = createServer().listen(end - lowest < leastChoice ? 0 : randomInt(lowest, end), '127.0.0.1');
    try {
      await once(server, 'listening');
      return server;
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}

async function firstLentPort(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
  return Number.parseInt(range, 10) || lowest;
}
