import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as startRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { ingressSocketOf } from '../../shared/http/ingress-contract.ts';
import { listen, listenLocally } from '../../shared/http/listen.ts';
import type { NodeStatus } from '../../shared/registry/records.ts';
import { createNodeDirectory, type NodeTarget } from './node-directory.ts';

const answering = (words: string) => createServer((_request, response) => response.end(words));

async function ask({ host, port, socketPath }: NodeTarget): Promise<string> {
  const request = startRequest({ host, port, ...(socketPath !== undefined && { socketPath }), agent: false });
  request.end();
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return await text(answer);
}

test('a node on this machine is reached by its socket, any other by its port', async () => {
  const [here, elsewhere] = [randomUUID(), randomUUID()];
  await using port = await listen(answering('port'), '127.0.0.1', 0);
  await using _socket = await listenLocally(answering('socket'), ingressSocketOf(here));
  const statusOf = (id: string) => ({ id, bootId: id, ingressUrl: port.url }) as unknown as NodeStatus;
  using nodes = createNodeDirectory({
    getNode: (id) => Promise.resolve(statusOf(id)),
    watch: () => ({ [Symbol.dispose]: () => undefined }),
  });
  const [local, remote] = [await nodes.targetOf(here), await nodes.targetOf(elsewhere)];
  assert.ok(local && remote);
  assert.equal(await ask(local), 'socket');
  assert.equal(await ask(remote), 'port');
});
