import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { suite, test } from 'node:test';
import { DormouseError } from '../errors/dormouse-error.ts';
import { answerOnSocket, forwardUpgrade } from './forward-upgrade.ts';
import type { ForwardOutcome } from './exchange.ts';
import { refusalStatus } from './ingress-contract.ts';
import { endToEnd } from './raw-headers.ts';

type OnUpgrade = (socket: Duplex, head: Buffer, headers: string[]) => void;

async function listening(server: Server): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function door(onUpgrade: OnUpgrade): ReturnType<typeof listening> {
  const server = createServer();
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    onUpgrade(socket, head, request.rawHeaders);
  });
  return listening(server);
}

async function proxy(port: number, outcomes: PromiseWithResolvers<ForwardOutcome | string>) {
  const server = createServer();
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    forwardUpgrade({
      request,
      socket,
      head,
      target: { host: '127.0.0.1', port },
      path: request.url ?? '/',
      headers: endToEnd(request.rawHeaders),
      refusalOf: (answer) => (answer.statusCode === refusalStatus('stale-epoch') ? 'stale-epoch' : undefined),
    }).then(
      (outcome) => {
        if (outcome.outcome === 'refused') answerOnSocket(socket, 503, [], 'refused');
        outcomes.resolve(outcome);
      },
      (error: unknown) => {
        answerOnSocket(socket, 502, [], 'unreachable');
        outcomes.resolve(error instanceof DormouseError ? error.code : String(error));
      },
    );
  });
  return listening(server);
}

/** Everything the socket says until `enough` does. */
async function readUntil(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString('latin1');
    if (enough(text)) break;
  }
  return text;
}

function shake(port: number, more = ''): Socket {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    'GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n' + more,
  );
  return socket;
}

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: b\r\n\r\n';

suite('forward upgrade', () => {
  test('bytes pass both ways, those sent early included, and an end ends both', async () => {
    const ended = Promise.withResolvers<undefined>();
    let headers: string[] = [];
    await using target = await door((socket, head, raw) => {
      headers = raw;
      socket.write(switching + 'hello,');
      socket.write(head);
      socket.pipe(socket);
      socket.on('close', () => ended.resolve(undefined));
    });
    const outcome = Promise.withResolvers<ForwardOutcome | string>();
    await using front = await proxy(target.port, outcome);
    const client = shake(front.port, 'early,');
    const first = await readUntil(client, (text) => text.includes('early,'));
    assert.match(first, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(first, /\r\nX-A: b\r\n/);
    assert.match(first, /\r\nUpgrade: websocket\r\n/);
    assert.ok(first.endsWith('\r\n\r\nhello,early,'), first);
    assert.deepEqual(headers, ['Host', 'a.example', 'Connection', 'Upgrade', 'Upgrade', 'websocket']);
    client.write('late');
    assert.equal(await readUntil(client, (text) => text.length >= 4), 'late');
    client.end();
    await ended.promise;
    assert.deepEqual(await outcome.promise, { outcome: 'answered', status: 101 });
  });

  test('a target that drops the connection drops the client', async () => {
    const peer = Promise.withResolvers<Duplex>();
    await using target = await door((socket) => {
      socket.write(switching);
      peer.resolve(socket);
    });
    const outcome = Promise.withResolvers<ForwardOutcome | string>();
    await using front = await proxy(target.port, outcome);
    const client = shake(front.port);
    await readUntil(client, (text) => text.endsWith('\r\n\r\n'));
    const closed = once(client, 'close');
    (await peer.promise).destroy();
    client.resume();
    await closed;
    assert.deepEqual(await outcome.promise, { outcome: 'answered', status: 101 });
  });

  test('another answer passes with its body, and the connection ends', async () => {
    await using target = await door((socket) => {
      socket.end(
        'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\nX-Why: rules\r\n\r\n4\r\nkeep\r\n4\r\n out\r\n0\r\n\r\n',
      );
    });
    const outcome = Promise.withResolvers<ForwardOutcome | string>();
    await using front = await proxy(target.port, outcome);
    const answer = await readUntil(shake(front.port), () => false);
    assert.equal(answer, 'HTTP/1.1 403 No\r\nX-Why: rules\r\nConnection: close\r\n\r\nkeep out');
    assert.deepEqual(await outcome.promise, { outcome: 'answered', status: 403 });
  });

  test('a refusal and a dead target leave the socket to the caller', async () => {
    await using refusing = await door((socket) => socket.end('HTTP/1.1 421 Misdirected\r\nContent-Length: 0\r\n\r\n'));
    const refused = Promise.withResolvers<ForwardOutcome | string>();
    await using front = await proxy(refusing.port, refused);
    assert.match(await readUntil(shake(front.port), () => false), /^HTTP\/1\.1 503 .*refused$/s);
    assert.deepEqual(await refused.promise, { outcome: 'refused', reason: 'stale-epoch' });

    await using mute = await door((socket) => socket.destroy());
    const dead = Promise.withResolvers<ForwardOutcome | string>();
    await using second = await proxy(mute.port, dead);
    assert.match(await readUntil(shake(second.port), () => false), /^HTTP\/1\.1 502 .*unreachable$/s);
    assert.equal(await dead.promise, 'actor-unreachable');
  });

  test('a client that leaves before the answer ends the handshake', async () => {
    const peer = Promise.withResolvers<Duplex>();
    await using target = await door((socket) => peer.resolve(socket));
    const outcome = Promise.withResolvers<ForwardOutcome | string>();
    await using front = await proxy(target.port, outcome);
    const client = shake(front.port);
    const ended = once((await peer.promise).resume(), 'end');
    client.destroy();
    await ended;
    assert.deepEqual(await outcome.promise, { outcome: 'abandoned' });
  });
});
