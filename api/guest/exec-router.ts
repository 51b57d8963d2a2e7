/** Takes the upgrades of `/v1/actors/{id}/exec`, ahead of the framework, which knows requests alone. */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { namespaceOf } from '../../shared/actor/namespace.ts';
import { DormouseError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { answerOnSocket, watchLeaving } from '../../shared/http/forward-upgrade.ts';
import type { ExecStart } from '../../shared/proto/gen/agent.ts';
import { actorFor } from '../access/namespace.ts';
import { sessionCallOf } from '../http/call-of.ts';
import { problemOf } from '../http/problem.ts';
import { requestIdOf } from '../http/request-id.ts';
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
      let actorId = '';
      try {
        const caller = await parts.access.admit(request, 'admin');
        actorId = actorFor(request, caller, { id: execPath.exec(request.url ?? '')?.[1] ?? '' });
        if (socket.destroyed) return; // it left meanwhile, and nobody would notice
        await serveExec(parts, { request, requestId, actorId }, socket, head, stop.signal);
      } catch (cause) {
        const error = toDormouseError(cause);
        if (error.code === 'internal') parts.log.error({ requestId, err: cause }, 'exec failed');
        const problem = problemOf(error, requestId, namespaceOf(actorId));
        const headers = Object.entries({ ...problem.headers, 'x-request-id': requestId }).flat();
        answerOnSocket(socket, problem.status, headers, JSON.stringify(problem.body));
      }
    },
    [Symbol.dispose]: () => stop.abort(new DormouseError('shutting-down', 'the api is stopping')),
  };
}

interface ExecCall {
  readonly request: IncomingMessage;
  readonly requestId: string;
  /** Qualified. */
  readonly actorId: string;
}

async function serveExec(
  parts: GuestParts,
  { request, requestId, actorId }: ExecCall,
  socket: Duplex,
  head: Buffer,
  stop: AbortSignal,
): Promise<void> {
  const start = startOf(new URL(request.url ?? '', 'http://api').searchParams);
  const leaving = new AbortController();
  const watching = watchLeaving(socket, () => leaving.abort(new Error('the client left')));
  const call = sessionCallOf(request, requestId, actorId, AbortSignal.any([leaving.signal, stop]));
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
