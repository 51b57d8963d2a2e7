/** Starts a server of this process, and says under which URL others reach it. Rejects when the port cannot be had. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listening extends AsyncDisposable {
  readonly url: string;
}

/** Port 0 takes a free one. Disposing breaks off what is still open. */
export async function listen(server: Server, host: string, port: number): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`;
  return { url, ...closing(server) };
}

/** Where the queue for a TCP port is full a connection is tried again; on a socket of the machine it fails (EAGAIN). */
const localQueue = 4096;

/** The same on a socket of this machine. */
export async function listenLocally(server: Server, socketPath: string): Promise<AsyncDisposable> {
  const listening = once(server, 'listening'); // or the error
  server.listen({ path: socketPath, backlog: localQueue });
  await listening;
  return closing(server);
}

const closing = (server: Server): AsyncDisposable => ({
  async [Symbol.asyncDispose]() {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  },
});
