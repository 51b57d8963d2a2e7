/**
 * A program: a server that does nothing, in the place of a guest. Listens on the port in its first argument, and prints
 * the port that it listens on.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const body = '{"ok":true}\n';
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(body);
});
server.listen(Number(process.argv[2] ?? 0), () => console.log((server.address() as AddressInfo).port));
