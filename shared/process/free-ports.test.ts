import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts } from './free-ports.ts';

test('as many different ports as were asked for, and a server can take each', async () => {
  const ports = await freePorts(20);
  assert.equal(new Set(ports).size, 20);
  const servers = ports.map((port) => createServer().listen(port, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  assert.deepEqual(await freePorts(0), []);
});
