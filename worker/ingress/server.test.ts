import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request as startRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { ingressHeaders, ingressSocketOf } from '../../shared/http/ingress-contract.ts';
import type { Listening } from '../../shared/http/listen.ts';
import { newPassKey, passMaker } from '../../shared/http/node-pass.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { createActivationTable, type Activation } from '../activation/activation.ts';
import { createGate } from './gate.ts';
import { startIngress, startLocalIngress } from './server.ts';
import { trustApis } from './trust.ts';

const epoch = '1.7';

/** Its actor is a real server that says which headers came, as they stood on the wire. */
suite('the ingress', () => {
  const passKey = newPassKey();
  const pass = passMaker(passKey);
  const gate = createGate();
  const connections = new Agent();
  let actor: Server;
  const bootId = randomUUID();
  let ingress: Listening;
  let local: AsyncDisposable;
  let reached = 0;
  before(async () => {
    actor = createServer((request, response) => {
      reached++;
      response.setHeader('dormouse-start', 'made up').end(JSON.stringify(request.rawHeaders));
    });
    actor.on('upgrade', (request, socket) => {
      reached++;
      socket.end(`HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${request.rawHeaders.join('|')}`);
    });
    await once(actor.listen(0, '127.0.0.1'), 'listening');
    const table = createActivationTable();
    const template = { spec: { containers: [{ name: 'main', port: (actor.address() as AddressInfo).port }] } };
    const sandbox = { address: '127.0.0.1' };
    table.add({ identity: { id: 'alice' }, epoch, template, sandbox, gate, connections } as unknown as Activation);
    const log = createLogger('silent', {});
    const door = { table, admits: () => true, trusts: trustApis(passKey, log) };
    ingress = await startIngress('127.0.0.1', door, log);
    local = await startLocalIngress(bootId, door, log);
  });
  after(async () => {
    connections.destroy();
    await ingress[Symbol.asyncDispose]();
    await local[Symbol.asyncDispose]();
    actor.close();
  });

  const ours = (given: string | undefined): string[] => [
    ...['Dormouse-Actor', 'alice', 'Dormouse-Epoch', epoch],
    ...(given === undefined ? [] : ['Dormouse-Pass', given]),
  ];

  async function call(
    headers: string[],
    upgrade = false,
    socketPath?: string,
  ): Promise<IncomingMessage & { body: string }> {
    const { hostname: host, port } = new URL(ingress.url);
    const more = upgrade ? ['Connection', 'Upgrade', 'Upgrade', 'x'] : [];
    const where = socketPath === undefined ? { host, port } : { socketPath };
    const request = startRequest({ ...where, agent: false, headers: ['Host', 'alice.test', ...headers, ...more] });
    request.end();
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject);
      request.once('upgrade', (answer, socket, head) => {
        socket.unshift(head);
        resolve(Object.assign(socket as unknown as IncomingMessage, { statusCode: 101, headers: answer.headers }));
      });
    });
    const answer = await answered;
    return Object.assign(answer, { body: await text(answer) });
  }

  test('whoever has no pass is refused before anything of the actor is reached or told', async () => {
    const wrong = [undefined, '', 'x', passMaker(newPassKey())(), `${pass()}x`];
    for (const given of wrong) {
      for (const upgrade of [false, true]) {
        const answer = await call(ours(given), upgrade);
        assert.deepEqual([answer.statusCode, answer.headers[ingressHeaders.refusal]], [401, 'unknown-caller']);
        assert.equal(answer.body, '');
      }
    }
    const nobody = await call(['Dormouse-Actor', 'nobody']);
    assert.equal(nobody.headers[ingressHeaders.refusal], 'unknown-caller', 'not even whether there is such an actor');
    const twice = await call([...ours('x'), 'Dormouse-Pass', pass()]);
    assert.equal(twice.statusCode, 401);
    assert.deepEqual([reached, gate.inside], [0, 0]);
  });

  test('an api is let in, and nothing that is said between it and us reaches the actor or its caller', async () => {
    const own = ['Authorization', 'Basic YTpi', 'X-Own', '1'];
    const answer = await call([...ours(pass()), ...own, 'Dormouse-Token', 'secret', 'Dormouse-Wake', 'never']);
    assert.equal(answer.statusCode, 200);
    const seen = (JSON.parse(answer.body) as string[]).join('\n').toLowerCase();
    assert.ok(!seen.includes('dormouse-') && !seen.includes(pass().toLowerCase()) && !seen.includes('secret'), seen);
    assert.ok(seen.includes('basic ytpi') && seen.includes('x-own'), seen);
    assert.equal(answer.headers['dormouse-start'], undefined);
    const upgraded = await call(ours(pass()), true);
    assert.equal(upgraded.statusCode, 101);
    assert.ok(!upgraded.body.toLowerCase().includes('dormouse-'), upgraded.body);
  });

  test('an api that asks for another activation hears which mistake it made', async () => {
    const old = await call(['Dormouse-Actor', 'alice', 'Dormouse-Epoch', '1.6', 'Dormouse-Pass', pass()]);
    assert.deepEqual([old.statusCode, old.headers[ingressHeaders.refusal]], [421, 'stale-epoch']);
  });

  test('on a socket of the machine it is the same door, and the socket ends with it', async () => {
    const here = ingressSocketOf(bootId);
    assert.equal((await call(ours('x'), false, here)).statusCode, 401);
    assert.equal((await call(ours(pass()), false, here)).statusCode, 200);
    assert.equal((await call(ours(pass()), true, here)).statusCode, 101);
    await assert.rejects(call(ours(pass()), false, ingressSocketOf(randomUUID())), { code: 'ECONNREFUSED' });
  });
});
