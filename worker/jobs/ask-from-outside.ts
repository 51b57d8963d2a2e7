/**
 * Asks a template's program once more whether it is ready, over its network, the way that calls come: the guest has been
 * asked from inside only until then. What the guest's kernel and the program do for the first call of all (find their
 * neighbour, set up the first connection, read code from the image) is then in the golden, and no first call of
 * an actor waits for it. It is of no consequence whether the program answers, or listens there at all.
 */
import type { TemplateSpec } from '../../shared/template/template-spec.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { callFromOutside } from './call-from-outside.ts';

/** A first answer takes some tenths of a second under emulation. */
const limitMs = 5000;

export async function askFromOutside({ address }: Sandbox, { containers }: TemplateSpec, signal: AbortSignal) {
  const called = containers.find(({ port }) => port !== undefined);
  const path = called?.readiness?.path;
  const port = called?.readiness?.port ?? called?.port;
  if (path === undefined || port === undefined) return;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  await callFromOutside({ host: address, port, path, signal: limited }).catch(() => undefined);
}
