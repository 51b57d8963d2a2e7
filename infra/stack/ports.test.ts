import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { decidePort } from './ports.ts';

test('a free port is taken as wished; a taken one is refused with the way out; 0 finds one', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await assert.rejects(
    decidePort('127.0.0.1', port),
    (error: unknown) =>
      error instanceof DormouseError &&
      error.code === 'precondition-missing' &&
      /taken.*DORMOUSE_PORT/.test(error.message),
  );
  server.close();
  await once(server, 'close');
  assert.equal(await decidePort('127.0.0.1', port), port);
  assert.ok((await decidePort('127.0.0.1', 0)) > 0);
});

test('a host that is not of this machine is named', async () => {
  await assert.rejects(decidePort('192.0.2.1', 7070), /192\.0\.2\.1.*EADDRNOTAVAIL/);
});
