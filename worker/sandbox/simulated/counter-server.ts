/**
 * The HTTP server of one simulated actor, on a loopback address of its own: counts calls, as the bundled counter does.
 * While it is frozen a call waits, as it would for a VM that stands still.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';

export interface CounterServer extends AsyncDisposable {
  readonly address: string;
  /** Listens there too; what it listens on already stays. */
  open(port: number): Promise<void>;
}

export interface Counting {
  /** One more call, and how many there were. */
  count(): number;
  /** Resolves while it runs, waits while it stands still. */
  running(): Promise<void>;
}

/** 127.64.0.0/10 has four million addresses, shared by all simulators of a machine: a second choice is hardly ever needed. */
const maxChoices = 8;
const randomAddress = (): string => `127.${randomInt(64, 128)}.${randomInt(256)}.${randomInt(1, 255)}`;

export async function startCounterServer(counting: Counting, ports: readonly number[]): Promise<CounterServer> {
  for (let choice = 0; choice < maxChoices; choice++) {
    const server = counterServer(counting, randomAddress());
    try {
      for (const port of ports) await server.open(port);
      return server;
    } catch (cause) {
      await server[Symbol.asyncDispose]();
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause;
    }
  }
  throw new DormouseError('vmm-failed', `no loopback address was free in ${maxChoices} tries`);
}

function counterServer(counting: Counting, address: string): CounterServer {
  const servers = new Map<number, Server>();
  return {
    address,
    async open(port) {
      if (servers.has(port)) return;
      const server = serve(counting);
      servers.set(port, server);
      server.listen(port, address);
      await once(server, 'listening');
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...servers.values()].map(close));
      servers.clear();
    },
  };
}

const serve = (counting: Counting): Server =>
  createServer((request, response) => {
    request.resume();
    void counting.running().then(() => {
      const body = JSON.stringify(request.url === '/healthz' ? { ok: true } : { count: counting.count() });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.end(body);
    });
  });

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
