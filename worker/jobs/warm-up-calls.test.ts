import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { templateSpecSchema, type TemplateSpec } from '../../shared/template/template-spec.ts';
import { makeWarmUpCalls } from './warm-up-calls.ts';

const sandbox = { address: '127.0.0.1' };

async function portOf(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const specOf = (...containers: object[]): TemplateSpec =>
  templateSpecSchema.parse({
    name: 'warm',
    containers: containers.map((container, index) => ({ name: `c${index}`, image: 'oci:/x:y', ...container })),
  });

const never = new AbortController().signal;

suite('warm-up calls', { timeout: 30_000 }, () => {
  test('go through the list as often as asked, one after the other, container by container', async (t) => {
    const came: string[] = [];
    let underWay = 0;
    const listener = (name: string): RequestListener => {
      return ({ method, url, headers }, response) => {
        came.push(`${name} ${method} ${url}`);
        assert.deepEqual([++underWay, headers.connection], [1, 'keep-alive']);
        // A redirect is an answer, and is not followed.
        response.writeHead(url === '/b' ? 307 : 200, { location: '/nowhere' }).write('some');
        setTimeout(() => {
          underWay--;
          response.end();
        }, 5);
      };
    };
    const [first, second] = [await portOf(t, listener('first')), await portOf(t, listener('second'))];
    const spec = specOf(
      { port: first, warmUp: { paths: ['/a', '/b'], times: 2 } },
      { port: 9, warmUp: { paths: ['/c?d'], port: second } },
      {},
    );
    await makeWarmUpCalls(sandbox, spec, never);
    const round = ['first GET /a', 'first GET /b'];
    assert.deepEqual(came, [...round, ...round, 'second GET /c?d']);
  });

  test('fail with the container, the path, and what came', async (t) => {
    const port = await portOf(t, ({ url }, response) => {
      if (url === '/cut') {
        response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
        return;
      }
      response.writeHead(url === '/lost' ? 404 : 200).end();
    });
    const failureOf = (path: string, fields: object = { port }) =>
      makeWarmUpCalls(sandbox, specOf({ ...fields, warmUp: { paths: ['/', path] } }), never);
    await assert.rejects(failureOf('/lost'), {
      code: 'warm-up-failed',
      message: 'warm-up of container c0: GET /lost answered 404',
      details: { container: 'c0', path: '/lost', status: 404 },
    });
    await assert.rejects(failureOf('/cut'), {
      code: 'warm-up-failed',
      message: /container c0: GET \/cut was not answered: aborted/,
      details: { container: 'c0', path: '/cut' },
    });
    await assert.rejects(failureOf('/x', { port: 1 }), { code: 'warm-up-failed', message: /GET \/ .*ECONNREFUSED/ });
  });

  test('have a limit for all of them together', async (t) => {
    const port = await portOf(t, (_, response) => void response.writeHead(200).write('for ever'));
    t.mock.method(AbortSignal, 'timeout', (ms: number) => {
      assert.equal(ms, 30_000);
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('time is over')), 50);
      return controller.signal;
    });
    await assert.rejects(makeWarmUpCalls(sandbox, specOf({ port, warmUp: { paths: ['/'] } }), never), {
      code: 'warm-up-failed',
      message: 'warm-up of container c0: GET / was not answered within the 30 s that all warm-up calls have',
    });
  });

  test('end with their job, whose reason it is', async (t) => {
    const job = new AbortController();
    const port = await portOf(t, () => job.abort(new Error('the node is stopping')));
    await assert.rejects(makeWarmUpCalls(sandbox, specOf({ port, warmUp: { paths: ['/'] } }), job.signal), {
      message: 'the node is stopping',
    });
  });
});
