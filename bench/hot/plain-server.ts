/**
 * A program: a server that does nothing, in the place of a guest. Listens on the port in its first argument, marks
 * its answers with the header in its second, and prints the port.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const body = '{"ok":true}\n';
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.setHeader(process.argv[3] ?? 'x-plain', 'yes');
  response.end(body);
});
server.listen(Number(process.argv[2] ?? 0), () => console.log((server.address() as AddressInfo).port));
