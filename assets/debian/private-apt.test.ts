import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { openPrivateApt } from './private-apt.ts';

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a mirror that does not answer is an error, not an old index', async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'apt-'));
  context.after(() => removeTree(folder, path.dirname(folder)));
  const main = `http://127.0.0.1:${await closedPort()}/debian`;
  const apt = await openPrivateApt(folder, 'arm64', { main, security: `${main}-security` });
  await assert.rejects(apt.run('apt-get', ['update', '-qq']), {
    code: 'assets-unavailable',
    message: /apt-get update failed: .*(Failed to fetch|Could not connect)/s,
  });
});
