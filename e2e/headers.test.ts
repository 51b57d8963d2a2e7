/** The real api before the real ingress, on a real Redis; the actor is a server that says which headers reached it. No VM. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request as startRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { startFixture, until, type Fixture } from '../api/stand-in/fixture.ts';
import { newPassKey } from '../shared/http/node-pass.ts';
import { createLogger } from '../shared/telemetry/logger.ts';
import { createActivationTable, type Activation } from '../worker/activation/activation.ts';
import { createGate } from '../worker/ingress/gate.ts';
import { startIngress } from '../worker/ingress/server.ts';
import { trustApis } from '../worker/ingress/trust.ts';

const root = 'the-root-token-of-the-test';
const ours = { authorization: `Bearer ${root}` };

suite('headers from a caller to an actor', () => {
  const resources = new AsyncDisposableStack();
  let api: Fixture;
  let actor: Server;
  let port: number;
  let token: string;
  const passKey = newPassKey();
  before(async () => {
    actor = createServer((request, response) => response.end(JSON.stringify(request.rawHeaders)));
    resources.defer(() => void actor.close());
    await once(actor.listen(0, '127.0.0.1'), 'listening');
    api = resources.use(await startFixture((_request, response) => response.end(), { token: root }));
    const post = (path: string, body: unknown) => api.call('POST', path, { headers: ours, body });
    await post('/v1/templates', { name: 't', containers: [{ name: 'main', image: 'oci:/i:m', port: 80 }] });
    await until(async () => (await api.registry.getTemplate('t'))?.state === 'ready');
    await post('/v1/actors', { id: 'alice', template: 't' });
    token = String((await post('/v1/tokens', { name: 'caller', scopes: ['invoke'] })).body['token']);
    assert.equal((await api.call('GET', '/v1/actors/alice/invoke/', { headers: ours })).status, 200);
    await moveToRealIngress();
    port = await api.another(); // one that remembers no route
  });
  after(() => resources.disposeAsync());

  /** The actor that the stand-in node woke is from now on behind the real ingress of a later boot of that node. */
  async function moveToRealIngress(): Promise<void> {
    const log = createLogger('silent', {});
    const table = createActivationTable();
    const connections = new Agent();
    resources.defer(() => connections.destroy());
    const spec = { containers: [{ name: 'main', port: (actor.address() as AddressInfo).port }] };
    const sandbox = { address: '127.0.0.1' };
    const epoch = (await api.registry.getActor('alice'))?.epoch;
    const held = { identity: { id: 'alice' }, epoch, template: { spec }, sandbox, gate: createGate(), connections };
    table.add(held as unknown as Activation);
    const ingress = await startIngress(
      '127.0.0.1',
      { table, admits: () => true, trusts: trustApis(passKey, log) },
      log,
    );
    resources.use(ingress);
    await announce({ ingressUrl: ingress.url, passKey });
  }

  const announce = async (changed: { readonly ingressUrl?: string; readonly passKey: string }): Promise<void> => {
    const node = await api.registry.getNode('node-1');
    assert.ok(node);
    const { leaseMs, usedSlots: _s, usedMemoryMiB: _m, returning: _r, revisions: _v, ...record } = node;
    assert.ok(await api.registry.announceNode({ ...record, ...changed }, leaseMs, record.bootId));
  };

  async function seenBy(headers: readonly string[], path = '/v1/actors/alice/invoke/'): Promise<string[]> {
    const request = startRequest({ host: '127.0.0.1', port, path, agent: false, headers });
    request.end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const body = await text(answer);
    assert.equal(answer.statusCode, 200, body);
    return JSON.parse(body) as string[];
  }

  const secrets = (): string[] => [root, token, passKey, 'dormouse-', 'pass'];
  function expectClean(seen: readonly string[]): void {
    const all = seen.join('\n').toLowerCase();
    for (const secret of secrets()) assert.ok(!all.includes(secret.toLowerCase()), `${secret} in ${all}`);
  }

  test('nothing that is ours arrives, however it is sent', async () => {
    const here = ['Host', `127.0.0.1:${port}`];
    const ways = [
      [...here, 'Authorization', `Bearer ${root}`],
      [...here, 'Authorization', `Bearer ${token}`],
      [
        ...here,
        'AUTHORIZATION',
        `bearer  ${token} `,
        'Dormouse-Actor',
        'bob',
        'Dormouse-Epoch',
        '9.9',
        'Dormouse-Pass',
        'x',
      ],
      [...here, 'dormouse-token', token, 'Authorization', `Bearer ${root}`],
      [...here, 'Dormouse-Token', root, 'Authorization', 'Basic b3du', 'Authorization', `Bearer ${token}`],
      [...here, 'Dormouse-Token', root, 'Connection', 'close, dormouse-pass, dormouse-epoch'],
    ];
    for (const way of ways) expectClean(await seenBy(way));
    expectClean(await seenBy(['Host', 'alice.actors.test', 'Authorization', `Bearer ${token}`], '/'));
  });

  test('an api with the key of another boot is not let in, and says so', async () => {
    await announce({ passKey: newPassKey() });
    const other = await api.another();
    const call = () => api.call('GET', '/v1/actors/alice/invoke/', { headers: ours, port: other });
    const refused = await call();
    assert.deepEqual([refused.status, refused.body['code']], [502, 'actor-unreachable']);
    await announce({ passKey });
    assert.equal((await call()).status, 200);
  });

  test('an actor’s own authorization arrives as it was sent', async () => {
    const own = ['Basic b3duOm93bg==', 'Bearer of-the-actor', 'Digest username="own"'];
    for (const value of own) {
      const seen = await seenBy(['Host', `127.0.0.1:${port}`, 'Dormouse-Token', token, 'Authorization', value]);
      assert.equal(seen[seen.indexOf('Authorization') + 1], value);
      expectClean(seen);
    }
  });
});
