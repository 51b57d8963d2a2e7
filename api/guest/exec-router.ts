/** Takes the upgrades of `/v1/actors/{id}/exec`, ahead of the framework, which knows requests alone. */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { DormouseError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { answerOnSocket, watchLeaving } from '../../shared/http/forward-upgrade.ts';
import type { ExecStart } from '../../shared/proto/gen/agent.ts';
import { sessionCallOf } from '../http/call-of.ts';
import { problemOf } from '../http/problem.ts';
import { requestIdOf } from '../http/request-id.ts';
import { requireToken } from '../http/token.ts';
import { execQuery } from '../schemas/guest.ts';
import { serveExecSocket } from './exec-socket.ts';
import { openSession, type GuestParts } from './open-session.ts';

export interface ExecRouter extends Disposable {
  matches(request: IncomingMessage): boolean;
  serve(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

const execPath = /^\/v1\/actors\/([^/?#]+)\/exec(?=\?|$)/;

/** Disposing it ends every program that still runs. */
export function createExecRouter(parts: GuestParts): ExecRouter {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // every program listens to it
  return {
    matches: (request) => execPath.test(request.url ?? ''),
    async serve(request, socket, head) {
      const requestId = requestIdOf(request);
      socket.on('error', () => undefined); // a client that resets; told by `close`
      try {
        requireToken(request, parts.token);
        await serveExec(parts, request, socket, head, requestId, stop.signal);
      } catch (cause) {
        const error = toDormouseError(cause);
        if (error.code === 'internal') parts.log.error({ requestId, err: cause }, 'exec failed');
        const problem = problemOf(error, requestId);
        const headers = Object.entries({ ...problem.headers, 'x-request-id': requestId }).flat();
        answerOnSocket(socket, problem.status, headers, JSON.stringify(problem.body));
      }
    },
    [Symbol.dispose]: () => stop.abort(new DormouseError('shutting-down', 'the api is stopping')),
  };
}

async function serveExec(
  parts: GuestParts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  requestId: string,
  stop: AbortSignal,
): Promise<void> {
  const id = execPath.exec(request.url ?? '')?.[1] ?? '';
  const start = startOf(new URL(request.url ?? '', 'http://api').searchParams);
  const leaving = new AbortController();
  const watching = watchLeaving(socket, () => leaving.abort(new Error('the client left')));
  const call = sessionCallOf(request, requestId, id, AbortSignal.any([leaving.signal, stop]));
  try {
    const program = await openSession(parts, call, (client, metadata) => client.exec(metadata));
    watching[Symbol.dispose]();
    program.write({ start });
    await serveExecSocket(request, socket, head, program, requestId);
  } finally {
    watching[Symbol.dispose]();
  }
}

function startOf(query: URLSearchParams): ExecStart {
  const given = Object.fromEntries([...new Set(query.keys())].map((name) => [name, valueOf(query.getAll(name))]));
  const parsed = execQuery.safeParse(given);
  if (!parsed.success) {
    const errors = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
    throw new DormouseError('invalid-input', z.prettifyError(parsed.error), { errors });
  }
  const { command, container, env, cwd, tty, cols, rows } = parsed.data;
  const size = cols === undefined || rows === undefined ? undefined : { columns: cols, rows };
  return { command, container, environment: env, workingFolder: cwd ?? '', terminal: tty, size };
}

const valueOf = (values: string[]): string | string[] => (values.length === 1 ? (values[0] ?? '') : values);
