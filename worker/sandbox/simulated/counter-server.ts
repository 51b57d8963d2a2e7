/**
 * The HTTP servers of simulated actors, each on a loopback address of its own, where one actor at a time counts calls as
 * the bundled counter does. While it is frozen a call waits, as it would for a VM that stands still.
 *
 * The server of an actor that has ended waits for the next one, without a connection left: opening sockets is no part of
 * what simulators are there to measure. Those that wait hold no process.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
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

export interface CounterServers {
  /** For an actor whose containers listen on these ports. */
  take(counting: Counting, ports: readonly number[]): Promise<CounterServer>;
}

/** As many as end in a burst and start in the next. */
const maxIdle = 1000;

interface Host {
  readonly address: string;
  readonly servers: Map<number, Server>;
  /** The actor there. */
  counting: Counting | undefined;
}

export function counterServers(): CounterServers {
  const idle = new Map<string, Host[]>(); // by ports
  let idleCount = 0;
  const giveBack = async (host: Host): Promise<void> => {
    host.counting = undefined;
    if (idleCount >= maxIdle) {
      await closeHost(host);
      return;
    }
    for (const server of host.servers.values()) server.unref().closeAllConnections();
    const key = keyOf([...host.servers.keys()]);
    const waiting = idle.get(key) ?? [];
    idle.set(key, waiting);
    waiting.push(host);
    idleCount++;
  };
  return {
    async take(counting, ports) {
      const waiting = idle.get(keyOf(ports))?.pop();
      if (waiting !== undefined) idleCount--;
      const host = waiting ?? (await newHost(ports));
      host.counting = counting;
      for (const server of host.servers.values()) server.ref();
      let isOver = false;
      return {
        address: host.address,
        open: (port) => listen(host, port),
        async [Symbol.asyncDispose]() {
          if (!isOver) await giveBack(host);
          isOver = true;
        },
      };
    },
  };
}

const keyOf = (ports: readonly number[]): string => ports.toSorted((a, b) => a - b).join();

async function newHost(ports: readonly number[]): Promise<Host> {
  for (let choice = 0; choice < maxChoices; choice++) {
    const host: Host = { address: randomAddress(), servers: new Map(), counting: undefined };
    try {
      for (const port of ports) await listen(host, port);
      return host;
    } catch (cause) {
      await closeHost(host);
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause;
    }
  }
  throw new DormouseError('vmm-failed', `no loopback address was free in ${maxChoices} tries`);
}

async function listen(host: Host, port: number): Promise<void> {
  if (host.servers.has(port)) return;
  const server = createServer((request, response) => answer(host, request, response));
  host.servers.set(port, server);
  server.listen(port, host.address);
  await once(server, 'listening');
}

function answer({ counting }: Host, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (counting === undefined) {
    response.destroy(); // nobody is there
    return;
  }
  void counting.running().then(() => {
    const isCounted = request.url !== '/healthz' && request.url !== '/warm-up';
    const body = JSON.stringify(isCounted ? { count: counting.count() } : { ok: true });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
}

async function closeHost({ servers }: Host): Promise<void> {
  await Promise.all([...servers.values()].map(close));
  servers.clear();
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
