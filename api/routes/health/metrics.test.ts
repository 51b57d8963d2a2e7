import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { reapOverdue } from '../../scheduler/reaper.ts';
import { startFixture, until, type Fixture } from '../../stand-in/fixture.ts';

const token = 'a-token-of-a-test';

suite('metrics of the api', () => {
  let api: Fixture;
  before(async () => {
    api = await startFixture((_request, response) => response.end('hello'), { token });
  });
  after(() => api[Symbol.asyncDispose]());

  const authorization = `Bearer ${token}`;
  const lines = async (): Promise<string[]> => (await api.call('GET', '/metrics')).text.split('\n');
  const counted = async (line: string): Promise<void> => until(async () => (await lines()).includes(line));

  test('open to the machine itself, but not through a proxy without a token', async () => {
    assert.equal((await api.call('GET', '/metrics')).status, 200);
    assert.equal((await api.call('GET', '/v1/actors')).status, 401);
    const forwarded = { 'x-forwarded-for': '192.0.2.7' };
    assert.equal((await api.call('GET', '/metrics', { headers: forwarded })).status, 401);
    assert.equal((await api.call('GET', '/metrics', { headers: { ...forwarded, authorization } })).status, 200);
  });

  test('calls by start and outcome, routes by pattern, nodes, what waits, what the reaper did', async () => {
    const headers = { authorization };
    const { registry } = api.parts;
    await api.call('POST', '/v1/templates', {
      headers,
      body: { name: 'plain', containers: [{ name: 'main', image: 'oci:/images:main', port: 80 }] },
    });
    await until(async () => (await registry.getTemplate('plain'))?.state === 'ready');
    await api.call('POST', '/v1/actors', { headers, body: { id: 'one', template: 'plain' } });
    for (let call = 0; call < 3; call++) await api.call('GET', '/v1/actors/one/invoke/', { headers });
    await api.call('GET', '/v1/actors/nobody/invoke/', { headers });
    await api.call('GET', '/v1/actors/one', { headers });
    await api.call('GET', '/nothing/here');
    await counted('dormouse_calls_total{start="warm",outcome="answered"} 1');
    await counted('dormouse_calls_total{start="hot",outcome="answered"} 2');
    await counted('dormouse_calls_total{start="none",outcome="actor-not-found"} 1');
    await counted('dormouse_call_seconds_count{start="hot"} 2');
    await counted('dormouse_api_request_seconds_count{method="GET",route="/v1/actors/:id",status="200"} 1');
    await counted('dormouse_api_request_seconds_count{method="any",route="none",status="404"} 1');
    for (const line of ['dormouse_nodes_live 1', 'dormouse_nodes_without_lease 0', 'dormouse_calls_parked 0']) {
      await counted(line);
    }
    const epoch = (await registry.getActor('one'))?.epoch ?? '';
    const move = { id: 'one', from: ['running'], to: 'suspending', epoch, reason: 'test' } as const;
    await registry.transition({ ...move, deadlineMs: -1 });
    await reapOverdue(api.parts);
    await counted('dormouse_reaper_actions_total{action="actor-fell-back"} 1');
    const text = (await lines()).join('\n');
    assert.doesNotMatch(text, /"one"|node-1/, 'no id in a label');
  });
});
