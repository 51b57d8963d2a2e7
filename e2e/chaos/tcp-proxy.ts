/** A TCP proxy for one connection between two processes, which a fault can break. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** `refuse`: resets what is open and what comes. `stall`: nothing passes any more, and nobody is told. */
  break(how: 'refuse' | 'stall'): void;
  mend(): void;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let broken: 'refuse' | 'stall' | undefined;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    if (broken === 'refuse') {
      near.resetAndDestroy();
      return;
    }
    const far = connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on('error', () => undefined); // told by `close`
      socket.once('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
      if (broken === 'stall') socket.pause();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    break(how) {
      broken = how;
      for (const socket of open) {
        if (how === 'refuse') socket.resetAndDestroy();
        else socket.pause();
      }
    },
    mend() {
      broken = undefined;
      for (const socket of open) socket.resume();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
