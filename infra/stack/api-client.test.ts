import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { applyTemplate, waitUntilReady } from './api-client.ts';

type Answer = readonly [status: number, body: unknown];

async function serve(context: TestContext, answer: (request: IncomingMessage) => Answer) {
  const server = createServer((request, response) => {
    const [status, body] = answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, token: 'a-token-of-sixteen' };
}

const code = (expected: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DormouseError);
  assert.equal(error.code, expected);
  assert.match(error.message, words);
  return true;
};

/** As the api lists a node; `startedAt` before the stack began is a dead worker's record. */
const began = new Date('2030-01-01T00:00:00Z');
const node = (id: string, startedAt = '2030-01-01T00:00:01Z') => ({ id, startedAt, leaseMs: 5000 });

suite('waiting for the api', () => {
  test('ready means that readyz says so and that every node is there', async (context) => {
    let asked = 0;
    const api = await serve(context, ({ url }) => {
      asked += 1;
      if (url === '/readyz') return asked < 3 ? [503, {}] : [200, {}];
      return [200, { items: [node('node-1'), asked > 6 ? node('node-2') : node('node-2', '2029-12-31T23:59:59Z')] }];
    });
    await waitUntilReady(api, ['node-1', 'node-2'], began, AbortSignal.timeout(10_000));
    assert.ok(asked > 6);
  });

  test('at the deadline the error tells what was still missing', async (context) => {
    const api = await serve(context, ({ url }) => (url === '/readyz' ? [200, {}] : [200, { items: [node('node-1')] }]));
    const waited = waitUntilReady(api, ['node-1', 'node-2'], began, AbortSignal.timeout(300));
    await assert.rejects(waited, code('deadline-exceeded', /not registered yet: node-2/));
  });

  test('a reason to give up comes through as it is', async (context) => {
    const api = await serve(context, () => [503, {}]);
    const reason = new DormouseError('internal', 'api ended again and again');
    await assert.rejects(waitUntilReady(api, [], began, AbortSignal.abort(reason)), reason);
  });
});

suite('applying a template', () => {
  const template = { name: 'counter' };

  test('each state is told once, with the token on every call', async (context) => {
    const states = ['preparing', 'preparing', 'ready'];
    const api = await serve(context, ({ method, headers }) => {
      if (headers.authorization !== 'Bearer a-token-of-sixteen') return [401, { title: 'no token' }];
      return method === 'POST' ? [201, {}] : [200, { state: states.shift() }];
    });
    const told: string[] = [];
    await applyTemplate(api, template, AbortSignal.timeout(10_000), (state) => told.push(state));
    assert.deepEqual(told, ['preparing', 'ready']);
  });

  test('one that is there with another specification is kept, and said to be', async (context) => {
    const conflict = { title: 'A template of this name has another specification', code: 'template-conflict' };
    const api = await serve(context, ({ method }) => (method === 'POST' ? [409, conflict] : [200, { state: 'ready' }]));
    const told: string[] = [];
    await applyTemplate(api, template, AbortSignal.timeout(10_000), (state) => told.push(state));
    assert.match(told.join(', '), /^kept .*, ready$/);
  });

  test('a failed template gives its own reason', async (context) => {
    const failed = { state: 'failed', error: { message: 'the container exited: exec format error' } };
    const api = await serve(context, ({ method }) => (method === 'POST' ? [200, {}] : [200, failed]));
    const applied = applyTemplate(api, template, AbortSignal.timeout(10_000));
    await assert.rejects(applied, code('template-failed', /counter: the container exited: exec format error/));
  });

  test('a refusal carries the words of the problem', async (context) => {
    const api = await serve(context, () => [409, { title: 'Another specification', detail: 'delete it first' }]);
    const applied = applyTemplate(api, template, AbortSignal.timeout(10_000));
    await assert.rejects(applied, code('internal', /409.*Another specification: delete it first/));
  });
});
