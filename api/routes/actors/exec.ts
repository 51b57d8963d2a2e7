/** POST /v1/actors/{id}/exec: runs a program and answers when it has ended. With a terminal: the WebSocket of this path. */
import type { ApiApp, RouteParts } from '../../app.ts';
import { runProgram } from '../../guest/run-program.ts';
import { sessionCallOf } from '../../http/call-of.ts';
import { clientSignal } from '../../http/client-signal.ts';
import { actorParams } from '../../schemas/actor.ts';
import { execBody, execResult } from '../../schemas/guest.ts';

/** A wake has a limit of its own; this only bounds what is stuck. */
const wakeAllowanceMs = 600_000;

export function execRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/actors/:id/exec',
    {
      schema: {
        tags: ['inside'],
        summary: 'Run a program in an actor; wakes it if it sleeps',
        params: actorParams,
        body: execBody,
        response: { 200: execResult },
      },
    },
    async (request, reply) => {
      const { command, args, container, env, cwd, stdin, timeoutMs } = request.body;
      const signal = clientSignal(reply, timeoutMs + wakeAllowanceMs, parts.stopping);
      const start = {
        ...{ container, command: [command, ...args], environment: env, workingFolder: cwd ?? '' },
        ...{ terminal: false, size: undefined },
      };
      const call = sessionCallOf(request.raw, request.id, request.params.id, signal);
      return await runProgram(parts.guest, call, start, Buffer.from(stdin), timeoutMs);
    },
  );
}
