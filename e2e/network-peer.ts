/** Another host: a network namespace of its own with an address from TEST-NET-3 (RFC 5737) and a TCP server in it. */
import { once } from 'node:events';
import { execa } from 'execa';

export interface NetworkPeer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

const [hostAddress, address] = ['203.0.113.1', '203.0.113.2'];
const port = 8000;
const program = `require('node:net').createServer((socket) => socket.end('hello')).listen(${port}, () => console.log('up'))`;

export async function startPeer(): Promise<NetworkPeer> {
  const name = `dm-peer-${process.pid}`;
  const link = `dmp${process.pid}`.slice(0, 15);
  await using undo = new AsyncDisposableStack();
  await execa('ip', ['netns', 'add', name]);
  undo.defer(async () => {
    await execa('ip', ['netns', 'delete', name]); // its end of the link goes with it, and ours with that
  });
  const setUp = [
    `link add ${link} type veth peer name eth0 netns ${name}`,
    `address add ${hostAddress}/30 dev ${link}`,
    `link set ${link} up`,
  ];
  await execa('ip', ['-batch', '-'], { input: setUp.join('\n') });
  const inside = [`address add ${address}/30 dev eth0`, 'link set eth0 up', `route add default via ${hostAddress}`];
  await execa('ip', ['-netns', name, '-batch', '-'], { input: inside.join('\n') });
  const server = execa('nsenter', [`--net=/run/netns/${name}`, '--', process.execPath, '-e', program], {
    reject: false,
  });
  undo.defer(async () => {
    server.kill();
    await server;
  });
  await once(server.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
  const resources = undo.move();
  return { address, port, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
