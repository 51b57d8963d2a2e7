/**
 * Kept connections to one server, the one used last first.
 *
 * A server may close an idle connection just as a request is put on it. A request that can be repeated is then sent once
 * more (forward.ts); one that cannot must not meet a connection that is likely to be closed. So the pool knows how long
 * each has been idle, and gives up those that are past `reuseWithinMs` before such a request is sent.
 */
import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';

export interface PoolLimits {
  /** A request that must not be repeated goes only on a connection that was idle for less. */
  readonly reuseWithinMs: number;
  /** An idle connection is closed after this time, by us and not by the server. */
  readonly idleTimeoutMs?: number;
  /** More requests than that wait for a connection. */
  readonly maxConnections?: number;
  readonly maxIdle?: number;
}

export class ConnectionPool extends Agent {
  readonly #reuseWithinMs: number;
  readonly #idleSince = new WeakMap<Duplex, number>();

  constructor({ reuseWithinMs, idleTimeoutMs, maxConnections, maxIdle }: PoolLimits) {
    super({
      keepAlive: true,
      scheduling: 'lifo',
      ...(idleTimeoutMs !== undefined && { timeout: idleTimeoutMs }),
      ...(maxConnections !== undefined && { maxSockets: maxConnections }),
      ...(maxIdle !== undefined && { maxFreeSockets: maxIdle }),
    });
    this.#reuseWithinMs = reuseWithinMs;
  }

  override keepSocketAlive(socket: Duplex): void {
    this.#idleSince.set(socket, performance.now());
    // eslint-disable-next-line @typescript-eslint/no-confusing-void-expression -- it says whether the connection may be kept, which the declarations do not know
    return super.keepSocketAlive(socket);
  }

  /** Call it right before a request that must not be repeated. */
  dropStale(): void {
    const oldest = performance.now() - this.#reuseWithinMs;
    for (const idle of Object.values(this.freeSockets)) {
      for (const socket of [...(idle ?? [])]) {
        if ((this.#idleSince.get(socket) ?? 0) <= oldest) socket.destroy();
      }
    }
  }
}
