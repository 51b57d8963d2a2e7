/**
 * GET /v1/actors/{id}/logs: what its containers wrote, asleep or awake, as text, as lines of JSON, or as server-sent
 * events, by `Accept`. It wakes nobody. One who follows an event stream goes on with `Last-Event-ID` where it ended.
 */
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { Cursor, LogLine } from '../../../shared/logs/line.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { readLogs } from '../../guest/read-logs.ts';
import { requestIdHeader } from '../../http/request-id.ts';
import { actorParams } from '../../schemas/actor.ts';
import { logsQuery } from '../../schemas/guest.ts';
import { requireActor } from './get.ts';

type Query = z.infer<typeof logsQuery>;

/** Proxies take a silent connection for dead after half a minute or more. */
const heartbeatMs = 15_000;

export function logsRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/actors/:id/logs',
    {
      schema: {
        tags: ['inside'],
        summary: 'What the containers of an actor wrote; with `follow=true` it goes on across its sleeps and nodes',
        params: actorParams,
        querystring: logsQuery,
        response: {
          200: {
            description: 'Lines, in one of three forms by `Accept`',
            content: { 'text/plain': { schema: z.string() } },
          },
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const record = await requireActor(parts.registry, id);
      const { follow, timestamps, container } = request.query;
      const many = container === undefined && (await parts.templates.of(record)).spec.containers.length > 1;
      const form = formOf(request.headers.accept, textForm(timestamps, many));
      const after = lastSeen(request.headers['last-event-id']);
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { 'content-type': form.type, 'cache-control': 'no-store', [requestIdHeader]: request.id });
      raw.flushHeaders();
      const left = new AbortController();
      raw.once('close', () => left.abort(new Error('the client left')));
      const signal = AbortSignal.any([left.signal, parts.stopping]);
      const heartbeat = setInterval(() => raw.write(form.heartbeat), heartbeatMs);
      try {
        const pieces = readLogs(parts.guest, record, { id, follow, signal, ...(after !== undefined && { after }) });
        await writeLines({ raw, write: form.write, signal }, pieces, request.query);
      } catch (error) {
        if (!signal.aborted) request.log.warn({ err: error, actorId: id }, 'a log stream broke off');
        if (!signal.aborted) raw.destroy(); // what was sent must not look complete
      } finally {
        clearInterval(heartbeat);
        raw.end();
      }
    },
  );
}

interface Output {
  readonly raw: ServerResponse;
  readonly write: (line: LogLine) => string;
  readonly signal: AbortSignal;
}

async function writeLines(
  { raw, write, signal }: Output,
  pieces: AsyncIterable<LogLine[]>,
  { tail, since, container }: Query,
): Promise<void> {
  const sinceNanos = since === undefined ? 0n : BigInt(Date.parse(since)) * 1_000_000n;
  const wanted = (line: LogLine): boolean =>
    line.unixNanos > sinceNanos && (container === undefined || line.container === container);
  let isPast = true;
  for await (const piece of pieces) {
    const lines = piece.filter(wanted);
    const shown = isPast && tail !== undefined ? lines.slice(Math.max(0, lines.length - tail)) : lines;
    isPast = false;
    if (!raw.write(shown.map(write).join(''))) await once(raw, 'drain', { signal });
  }
}

interface Form {
  readonly type: string;
  readonly heartbeat: string;
  readonly write: (line: LogLine) => string;
}

function formOf(accept: string | undefined, textOf: (line: LogLine) => string): Form {
  if (accept?.includes('text/event-stream') === true) {
    return {
      type: 'text/event-stream; charset=utf-8',
      heartbeat: ': still here\n\n',
      write: (line) =>
        `id: ${line.sequence}-${line.unixNanos}\nevent: line\ndata: ${JSON.stringify(shapeOf(line))}\n\n`,
    };
  }
  if (accept?.includes('json') === true) {
    return { type: 'application/x-ndjson', heartbeat: '', write: (line) => `${JSON.stringify(shapeOf(line))}\n` };
  }
  return { type: 'text/plain; charset=utf-8', heartbeat: '', write: (line) => `${textOf(line)}\n` };
}

/** A line's own bytes are a program's: in plain text they are shown as they are. */
const textForm =
  (timestamps: boolean, manyContainers: boolean) =>
  (line: LogLine): string =>
    `${timestamps ? `${timeOf(line)} ` : ''}${manyContainers ? `[${line.container}] ` : ''}${line.text}`;

const shapeOf = (line: LogLine) => ({
  // A string: it counts further than a number of JSON is exact.
  sequence: String(line.sequence),
  at: timeOf(line),
  container: line.container,
  stream: line.isError ? 'stderr' : 'stdout',
  text: line.text,
});

const timeOf = ({ unixNanos }: LogLine): string => new Date(Number(unixNanos / 1_000_000n)).toISOString();

function lastSeen(id: string | string[] | undefined): Cursor | undefined {
  if (id === undefined) return undefined;
  const [, sequence, unixNanos] = /^([0-9]{1,20})-([0-9]{1,20})$/.exec(String(id)) ?? [];
  if (sequence === undefined || unixNanos === undefined) {
    throw new DormouseError('invalid-input', 'Last-Event-ID is not one of this stream', {
      errors: [{ field: 'last-event-id', message: 'not an id of this stream' }],
    });
  }
  return { sequence: BigInt(sequence), unixNanos: BigInt(unixNanos) };
}
