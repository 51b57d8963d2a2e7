/**
 * Asks a template's program once more whether it is ready, over its network, the way that calls come: the guest has been
 * asked from inside only until then. What the guest's kernel and the program do for the first call of all (find their
 * neighbour, set up the first connection, read code from the image) is then in the golden, and no first call of
 * an actor waits for it. It is of no consequence whether the program answers, or listens there at all.
 *
 * After that the guest is left alone for a moment: what it does behind its program's start (the container runtime's end, its
 * kernel's own cleaning up) would otherwise go on in each actor, beside its first call.
 */
import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { TemplateSpec } from '../../shared/template/template-spec.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** A first answer takes some tenths of a second under emulation. */
const limitMs = 5000;
const restMs = 1000;

export async function askFromOutside({ address }: Sandbox, { containers }: TemplateSpec, signal: AbortSignal) {
  const called = containers.find(({ port }) => port !== undefined);
  const path = called?.readiness?.path;
  const port = called?.readiness?.port ?? called?.port;
  if (path !== undefined && port !== undefined)
    await ask({ host: address, port, path, signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]) });
  await delay(restMs, undefined, { signal });
}

function ask(target: { host: string; port: number; path: string; signal: AbortSignal }): Promise<void> {
  return new Promise((resolve) => {
    // Kept alive, so that it is we who end the connection: the guest then has nothing to remember of it.
    const agent = new Agent({ keepAlive: true });
    const over = (): void => {
      agent.destroy();
      resolve();
    };
    const request = get({ ...target, agent }, (response) => {
      response.on('close', over);
      response.resume();
    });
    request.on('error', over);
  });
}
