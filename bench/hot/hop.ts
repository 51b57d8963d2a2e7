/** A program: one plain Fastify proxy hop to the url in its first argument. Prints the port that it listens on. */
import replyFrom from '@fastify/reply-from';
import fastify from 'fastify';
import type { AddressInfo } from 'node:net';

const app = fastify();
await app.register(replyFrom, { base: process.argv[2] ?? '' });
app.all('/*', (request, reply) => reply.from(request.url));
await app.listen({ port: 0, host: '127.0.0.1' });
console.log((app.server.address() as AddressInfo).port);
