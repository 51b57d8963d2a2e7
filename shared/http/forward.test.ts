import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { Agent, createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { DormouseError } from '../errors/dormouse-error.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { Forward, ForwardOutcome, ForwardTarget } from './exchange.ts';
import { forward } from './forward.ts';
import { refusalStatus } from './ingress-contract.ts';
import { endToEnd } from './raw-headers.ts';

/** A server that is closed, connections and all, at the end of its block. */
async function listening(server: Server): Promise<ForwardTarget & AsyncDisposable> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const target = (listener: RequestListener): Promise<ForwardTarget & AsyncDisposable> =>
  listening(createServer(listener));

interface Proxy extends ForwardTarget, AsyncDisposable {
  /** How the exchanges ended, in order; a thrown error counts as its code. */
  readonly outcomes: (ForwardOutcome | string)[];
  outcome(): Promise<ForwardOutcome | string>;
}

/** A proxy before the targets: a request that one refuses goes to the next. */
async function proxy(targets: readonly ForwardTarget[], options: Partial<Forward> = {}): Promise<Proxy> {
  const outcomes: (ForwardOutcome | string)[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer();
  const serve: RequestListener = (request, response) => {
    void (async () => {
      try {
        for (const target of targets) {
          const headers = endToEnd(request.rawHeaders);
          const outcome = await forward({
            request,
            response,
            target,
            path: request.url ?? '/',
            headers,
            onContinue: () => {
              if (request.headers.expect !== undefined) response.writeContinue();
            },
            ...options,
          });
          outcomes.push(outcome);
          if (outcome.outcome !== 'refused') return;
        }
      } catch (error) {
        outcomes.push(error instanceof DormouseError ? error.code : String(error));
        if (!response.headersSent) response.writeHead(502).end();
      } finally {
        for (const wake of waiting.splice(0)) wake();
      }
    })();
  };
  server.on('request', serve);
  server.on('checkContinue', serve);
  return {
    ...(await listening(server)),
    outcomes,
    async outcome() {
      if (outcomes.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
      return outcomes.at(-1) ?? 'none';
    },
  };
}

function open(to: ForwardTarget, options: http.RequestOptions = {}): http.ClientRequest {
  return http.request({ host: to.host, port: to.port, agent: false, ...options });
}

async function answerTo(request: http.ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return answer;
}

async function get(to: ForwardTarget, options: http.RequestOptions = {}): Promise<IncomingMessage & { body: string }> {
  const answer = await answerTo(open(to, options).end());
  return Object.assign(answer, { body: await text(answer) });
}

/** Unlike `once`, not interested in the error that comes first. */
const closing = (stream: IncomingMessage): Promise<void> => new Promise((resolve) => stream.once('close', resolve));

const refusalOf = (answer: IncomingMessage): string | undefined =>
  answer.statusCode === refusalStatus('draining') ? 'draining' : undefined;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

suite('forward', () => {
  test('passes end-to-end headers both ways, repeated ones too, and drops the rest', async () => {
    let seen: string[] = [];
    await using door = await target((request, response) => {
      seen = request.rawHeaders;
      const headers = [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Connection',
        'x-secret',
        'X-Secret',
        's',
        'X-Kept',
        'k',
      ];
      response.writeHead(203, 'Fine Indeed', headers).end('ok');
    });
    await using front = await proxy([door]);
    const headers = ['Host', 'a.example', 'X-Two', '1', 'X-Two', '2', 'TE', 'trailers', 'X-Mine', 'm'];
    headers.push('Connection', 'keep-alive, X-Mine', 'Keep-Alive', 'timeout=9', 'Proxy-Authorization', 'p');
    const answer = await get(front, { path: '/a%2Fb?c=d', headers });
    assert.equal(answer.statusCode, 203);
    assert.equal(answer.statusMessage, 'Fine Indeed');
    assert.equal(answer.body, 'ok');
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(answer.headers['x-kept'], 'k');
    assert.equal(answer.headers['x-secret'], undefined);
    assert.deepEqual(seen.slice(0, 6), ['Host', 'a.example', 'X-Two', '1', 'X-Two', '2']);
    assert.deepEqual(seen.slice(6), ['Connection', 'keep-alive']);
  });

  test('a large body arrives whole on both legs, of known and unknown length', async () => {
    await using door = await target((request, response) => void request.pipe(response));
    await using front = await proxy([door]);
    const body = randomBytes(20 * 1024 * 1024);
    for (const headers of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
      const request = open(front, { method: 'POST', headers });
      request.end(body);
      assert.equal(sha256(await buffer(await answerTo(request))), sha256(body));
    }
  });

  test('trailers pass both ways', async () => {
    const trailers = Promise.withResolvers<NodeJS.Dict<string>>();
    await using door = await target((request, response) => {
      request.resume().on('end', () => {
        trailers.resolve(request.trailers);
        response.writeHead(200, { trailer: 'x-sum' });
        response.write('body');
        response.addTrailers({ 'x-sum': '42' });
        response.end();
      });
    });
    await using front = await proxy([door]);
    const request = open(front, { method: 'POST', headers: { trailer: 'x-in', 'transfer-encoding': 'chunked' } });
    request.write('hello');
    request.addTrailers({ 'x-in': '7' });
    request.end();
    const answer = await answerTo(request);
    assert.equal(await text(answer), 'body');
    assert.equal(answer.trailers['x-sum'], '42');
    assert.equal((await trailers.promise)['x-in'], '7');
  });

  test('answers without a body: HEAD, 204, 304', async () => {
    await using door = await target((request, response) => {
      const status = Number(request.url?.slice(1));
      response.writeHead(status, status === 204 ? {} : { 'content-length': '5', etag: '"e"' });
      response.end();
    });
    await using front = await proxy([door]);
    const head = await get(front, { method: 'HEAD', path: '/200' });
    assert.deepEqual([head.statusCode, head.headers['content-length'], head.body], [200, '5', '']);
    const none = await get(front, { path: '/204' });
    assert.deepEqual([none.statusCode, none.headers['transfer-encoding'], none.body], [204, undefined, '']);
    const unchanged = await get(front, { path: '/304' });
    assert.deepEqual([unchanged.statusCode, unchanged.headers.etag, unchanged.body], [304, '"e"', '']);
  });

  test('the headers of a stream pass before its first event, and the events one by one', async () => {
    const next = Promise.withResolvers<undefined>();
    await using door = await target((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      void next.promise.then(() => response.end('data: 1\n\n'));
    });
    await using front = await proxy([door]);
    const answer = await answerTo(open(front).end());
    assert.equal(answer.headers['content-type'], 'text/event-stream');
    next.resolve(undefined);
    assert.equal(await text(answer), 'data: 1\n\n');
  });

  test('a client that does not read stops the target', async () => {
    const total = 256 * 1024 * 1024;
    const full = Promise.withResolvers<number>();
    await using door = await target((_request, response) => {
      let written = 0;
      const chunk = Buffer.alloc(1024 * 1024);
      const write = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) {
            // Full in this turn and still full when the kernel's buffers had their chance.
            const stalled = setTimeout(() => full.resolve(written), 500);
            response.once('drain', () => {
              clearTimeout(stalled);
              write();
            });
            return;
          }
        }
        response.end();
        full.resolve(total);
      };
      write();
    });
    await using front = await proxy([door]);
    const answer = await answerTo(open(front).end());
    assert.ok((await full.promise) < total / 2, 'the target was held back');
    let received = 0;
    for await (const chunk of answer) received += (chunk as Buffer).length;
    assert.equal(received, total);
  });

  test('a refusal leaves the body for the next target', async () => {
    let asked = 0;
    const refusing = createServer();
    refusing.on('checkContinue', (_request, response: http.ServerResponse) => {
      asked++;
      response.writeHead(refusalStatus('draining'), { connection: 'close' }).end();
    });
    await using first = await listening(refusing);
    await using second = await target((request, response) => void request.pipe(response));
    await using front = await proxy([first, first, second], { expectContinue: true, refusalOf });
    const body = randomBytes(20 * 1024 * 1024);
    const request = open(front, { method: 'PUT', headers: { 'content-length': body.length } });
    request.end(body);
    assert.equal(sha256(await buffer(await answerTo(request))), sha256(body));
    assert.equal(asked, 2);
    assert.deepEqual(
      front.outcomes.map((outcome) => (typeof outcome === 'string' ? outcome : outcome.outcome)),
      ['refused', 'refused', 'answered'],
    );
  });

  test('a refusal that is a failure ends the exchange with its error', async () => {
    await using door = await target((_request, response) => void response.writeHead(502).end('no'));
    const refusalOf = (): string => {
      throw new DormouseError('no-capacity', 'not here');
    };
    await using front = await proxy([door], { refusalOf });
    assert.equal((await get(front)).body, '');
    assert.deepEqual(front.outcomes, ['no-capacity']);
  });

  test("the client's own Expect is met when the target wants the body", async () => {
    await using door = await target((request, response) => void request.pipe(response));
    await using front = await proxy([door], { expectContinue: true });
    const request = open(front, { method: 'POST', headers: { expect: '100-continue', 'content-length': 2 } });
    request.flushHeaders();
    await once(request, 'continue');
    request.end('ok');
    assert.equal(await text(await answerTo(request)), 'ok');
  });

  test('a client that goes away ends the request to the target', async () => {
    const arrived = Promise.withResolvers<IncomingMessage>();
    await using door = await target((request) => arrived.resolve(request));
    await using front = await proxy([door]);
    const request = open(front);
    request.on('error', () => undefined);
    request.end();
    const upstream = await arrived.promise;
    const closed = closing(upstream);
    request.destroy();
    await closed;
    assert.deepEqual(await front.outcome(), { outcome: 'abandoned' });
  });

  test('a client that goes away in the middle of its body ends the request to the target', async () => {
    const arrived = Promise.withResolvers<IncomingMessage>();
    await using door = await target((request) => {
      request.on('error', () => undefined);
      request.once('data', () => arrived.resolve(request));
    });
    await using front = await proxy([door]);
    const request = open(front, { method: 'POST', headers: { 'content-length': 100 } });
    request.on('error', () => undefined);
    request.write('half');
    const upstream = await arrived.promise;
    const closed = closing(upstream);
    request.destroy();
    await closed;
    assert.equal(upstream.complete, false);
  });

  test('a target that breaks off cuts the client too', async () => {
    await using door = await target((_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    });
    await using front = await proxy([door]);
    const answer = await answerTo(open(front).end());
    await assert.rejects(text(answer), /aborted/);
    assert.deepEqual(await front.outcome(), { outcome: 'cut' });
  });

  test('an answer before the end of the body reaches the client', async () => {
    await using door = await target((_request, response) => void response.writeHead(413).end('too much'));
    await using front = await proxy([door]);
    const request = open(front, { method: 'POST', headers: { 'content-length': 50_000_000 } });
    request.on('error', () => undefined);
    request.write(Buffer.alloc(1_000_000));
    const answer = await answerTo(request);
    assert.equal(answer.statusCode, 413);
    assert.equal(await text(answer), 'too much');
    request.destroy();
  });

  test('a target that is not there, or closes without an answer, is unreachable', async () => {
    const closed = await target(() => undefined);
    await closed[Symbol.asyncDispose]();
    await using mute = await target((request) => void request.socket.destroy());
    for (const door of [closed, mute]) {
      await using front = await proxy([door]);
      assert.equal((await get(front)).statusCode, 502);
      assert.deepEqual(front.outcomes, ['actor-unreachable']);
    }
  });

  test('a signal breaks the exchange off', async () => {
    const stop = new AbortController();
    const arrived = Promise.withResolvers<undefined>();
    await using door = await target(() => arrived.resolve(undefined));
    await using front = await proxy([door], { signal: stop.signal });
    const answer = get(front);
    await arrived.promise;
    stop.abort(new Error('the lease is gone'));
    assert.equal((await answer).statusCode, 502);
  });

  /** Answers the first request of each connection and resets the connection at the second one. */
  function resetting(): { server: Server; requests: string[] } {
    const requests: string[] = [];
    const used = new WeakSet<Socket>();
    const server = createServer((request, response) => {
      if (used.has(request.socket)) {
        requests.push('reset');
        request.socket.resetAndDestroy();
        return;
      }
      used.add(request.socket);
      requests.push(request.method ?? '');
      response.end('ok');
    });
    return { server, requests };
  }

  test('a dead keep-alive connection is noticed and the request sent once more', async () => {
    const { server, requests } = resetting();
    await using door = await listening(server);
    const agent = new Agent({ keepAlive: true });
    await using front = await proxy([{ ...door, agent }]);
    assert.equal((await get(front)).statusCode, 200);
    assert.equal((await get(front)).statusCode, 200);
    assert.deepEqual(requests, ['GET', 'reset', 'GET']);
    agent.destroy();
  });

  test('a request that must not be repeated never meets a used connection', async () => {
    const { server, requests } = resetting();
    await using door = await listening(server);
    const agent = new Agent({ keepAlive: true });
    await using front = await proxy([{ ...door, agent }]);
    assert.equal((await get(front)).statusCode, 200);
    const request = open(front, { method: 'POST', headers: { 'content-length': 4 } });
    request.end('body');
    assert.equal((await answerTo(request)).statusCode, 200);
    assert.equal((await get(front, { method: 'POST' })).statusCode, 200);
    assert.deepEqual(requests, ['GET', 'POST', 'POST']);
    agent.destroy();
  });

  test('a small body that came with its headers goes with them, and again to the next target after a refusal', async () => {
    const asked: (string | undefined)[] = [];
    await using first = await target((request, response) => {
      asked.push(request.headers.expect);
      response.writeHead(refusalStatus('draining')).end();
    });
    await using second = await target((request, response) => {
      asked.push(request.headers.expect);
      request.pipe(response);
    });
    await using front = await proxy([first, second], { expectContinue: true, refusalOf });
    const request = open(front, { method: 'POST', headers: { 'content-length': 5 } });
    request.end('small');
    assert.equal(await text(await answerTo(request)), 'small');
    assert.deepEqual(asked, [undefined, undefined]);
  });

  test('a small body that comes later than its headers is waited for by nobody', async () => {
    await using door = await target((request, response) => {
      response.writeHead(200).write('early ');
      request.pipe(response);
    });
    await using front = await proxy([door]);
    const request = open(front, { method: 'POST', headers: { 'content-length': 4 } });
    request.flushHeaders();
    const answer = await answerTo(request);
    request.end('late');
    assert.equal(await text(answer), 'early late');
  });

  /** Echoes the client's port: which connection a request came on. */
  const portEcho: RequestListener = (request, response) =>
    void request.resume().on('end', () => response.end(String(request.socket.remotePort)));

  test('a pool lets a request that must not be repeated follow another one closely, and nothing else', async () => {
    await using door = await target(portEcho);
    for (const [reuseWithinMs, reused] of [[60_000, true] as const, [0, false] as const]) {
      const agent = new ConnectionPool({ reuseWithinMs });
      await using front = await proxy([{ ...door, agent }]);
      const before = (await get(front)).body;
      const post = open(front, { method: 'POST', headers: { 'content-length': 4 } });
      post.end('body');
      assert.equal((await text(await answerTo(post))) === before, reused);
      agent.destroy();
    }
  });

  test('a request that must not be repeated is not sent twice when its used connection dies', async () => {
    const { server, requests } = resetting();
    await using door = await listening(server);
    const agent = new ConnectionPool({ reuseWithinMs: 60_000 });
    await using front = await proxy([{ ...door, agent }]);
    assert.equal((await get(front)).statusCode, 200);
    assert.equal((await get(front, { method: 'POST' })).statusCode, 502);
    assert.deepEqual(requests, ['GET', 'reset']);
    const put = open(front, { method: 'PUT', headers: { 'content-length': 4 } });
    assert.equal((await get(front)).statusCode, 200);
    put.end('body');
    assert.equal((await answerTo(put)).statusCode, 200);
    assert.deepEqual(requests, ['GET', 'reset', 'GET', 'reset', 'PUT']);
    agent.destroy();
  });
});
