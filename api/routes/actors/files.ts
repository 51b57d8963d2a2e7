/**
 * GET and PUT /v1/actors/{id}/files: a file of a container's root, or a folder as a tar archive. Bodies stream, of any
 * size; the path is resolved in the guest, inside the container's root. A transfer that breaks off changes no file.
 */
import type { ClientWritableStream } from '@grpc/grpc-js';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import { errorIn } from '../../../shared/node-service/contract.ts';
import type {
  FileFacts,
  ReadFileReply,
  WriteFileReply,
  WriteFileRequest,
  WriteFileStart,
} from '../../../shared/proto/gen/agent.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { openSession } from '../../guest/open-session.ts';
import { inputChunkBytes } from '../../guest/run-program.ts';
import { sessionCallOf } from '../../http/call-of.ts';
import { clientSignal } from '../../http/client-signal.ts';
import { actorParams } from '../../schemas/actor.ts';
import { fileQuery, putFileQuery } from '../../schemas/guest.ts';

const archiveType = 'application/x-tar';
/** What still moves after that is stuck: a gigabyte at a few megabytes a second is done long before. */
const transferLimitMs = 3_600_000;

export function filesRoute(app: ApiApp, parts: RouteParts): void {
  void app.register((scope: ApiApp, _options, done) => {
    // Whatever its type, a body is passed on as it comes.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    readRoute(scope, parts);
    writeRoute(scope, parts);
    done();
  });
}

function readRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/actors/:id/files',
    {
      schema: {
        tags: ['inside'],
        summary: 'Read a file of a container, or a folder as a tar archive; wakes the actor if it sleeps',
        params: actorParams,
        querystring: fileQuery,
      },
    },
    async (request, reply) => {
      const call = sessionCallOf(
        request.raw,
        request.id,
        request.params.id,
        clientSignal(reply, transferLimitMs, parts.stopping),
      );
      const stream = await openSession(parts.guest, call, (client, metadata) =>
        client.readFile(request.query, metadata),
      );
      const replies = (stream as AsyncIterable<ReadFileReply>)[Symbol.asyncIterator]();
      const first = await replies.next().catch((error: unknown) => {
        throw errorIn(error);
      });
      const facts = first.done === true ? undefined : first.value.facts;
      if (facts === undefined) throw new DormouseError('internal', 'the guest did not say what the file is');
      return await reply.headers(headersOf(facts)).send(Readable.from(chunksOf(replies), { objectMode: false }));
    },
  );
}

const headersOf = ({ isFolder, mode, modifiedUnixNanos, sizeBytes }: FileFacts): Record<string, string> => ({
  'content-type': isFolder ? archiveType : 'application/octet-stream',
  'last-modified': new Date(Number(modifiedUnixNanos / 1_000_000n)).toUTCString(),
  'dormouse-file-mode': mode.toString(8).padStart(4, '0'),
  // Of a file as it was when it was opened; one that grows meanwhile would not match.
  ...(!isFolder && { 'dormouse-file-size': String(sizeBytes) }),
});

/** An archive, or a file, that breaks off ends the connection, so that nobody takes it for whole. */
async function* chunksOf(replies: AsyncIterator<ReadFileReply>): AsyncGenerator<Buffer> {
  for (;;) {
    const next = await replies.next();
    if (next.done === true) return;
    if (next.value.chunk !== undefined) yield next.value.chunk;
  }
}

function writeRoute(app: ApiApp, parts: RouteParts): void {
  app.put(
    '/v1/actors/:id/files',
    {
      schema: {
        tags: ['inside'],
        summary: 'Put a file into a container, or unpack a tar archive there; wakes the actor if it sleeps',
        params: actorParams,
        querystring: putFileQuery,
        response: { 200: z.object({ writtenBytes: z.number() }) },
      },
    },
    async (request, reply) => {
      const { path, container, mode } = request.query;
      const call = sessionCallOf(
        request.raw,
        request.id,
        request.params.id,
        clientSignal(reply, transferLimitMs, parts.stopping),
      );
      const written = Promise.withResolvers<WriteFileReply>();
      const refused = new AbortController();
      written.promise.catch(() => refused.abort());
      const stream = await openSession(parts.guest, call, (client, metadata) =>
        client.writeFile(metadata, (error, answer) => {
          if (error === null) written.resolve(answer);
          else written.reject(errorIn(error));
        }),
      );
      const isArchive = request.headers['content-type']?.split(';')[0]?.trim() === archiveType;
      const start = { path, container, mode: mode === undefined ? 0 : Number.parseInt(mode, 8), isArchive };
      const [{ writtenBytes }] = await Promise.all([
        written.promise,
        send(stream, start, bodyOf(request.body), refused.signal),
      ]);
      return { writtenBytes: Number(writtenBytes) };
    },
  );
}

/** Nothing of what was sent counts unless the end comes: a body that breaks off is never ended. */
async function send(
  stream: ClientWritableStream<WriteFileRequest>,
  start: WriteFileStart,
  body: AsyncIterable<Buffer>,
  refused: AbortSignal,
): Promise<void> {
  stream.write({ start });
  try {
    for await (const chunk of body) {
      for (let at = 0; at < chunk.length && !refused.aborted; at += inputChunkBytes) {
        const goesOn = stream.write({ chunk: chunk.subarray(at, at + inputChunkBytes) });
        if (!goesOn) await once(stream, 'drain', { signal: refused });
      }
      if (refused.aborted) return;
    }
    stream.end();
  } catch (cause) {
    if (refused.aborted) return; // told by the answer
    stream.cancel();
    throw new DormouseError('invalid-input', 'the body broke off', { cause });
  }
}

const bodyOf = (body: unknown): AsyncIterable<Buffer> => (body instanceof Readable ? body : Readable.from([]));
