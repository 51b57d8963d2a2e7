/**
 * When calls are parked for want of room (shared/registry/wanted-room.ts), the node puts the actor to sleep that has been
 * idle for longest, before its own idle time is over: somebody waits, and nobody waits for that one. One with a request, a
 * stream or a WebSocket inside is never idle.
 */
import { takeWantedRoom } from '../../shared/registry/wanted-room.ts';
import type { NodeContext } from '../node-context.ts';
import type { Activation } from './activation.ts';
import { requestSuspend } from './idle.ts';

/** An actor between two calls of one caller is left alone; putting it to sleep would cost that caller a wake each time. */
const leastIdleMs = 1000;
/** A look costs one read of the registry, and none when nobody is idle. */
const lookEveryMs = 500;

export function watchWantedRoom(context: NodeContext): Disposable {
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    await makeRoom(context).catch((error: unknown) => context.log.warn({ err: error }, 'no room was made'));
    looking = false;
  };
  const timer = setInterval(() => void look(), lookEveryMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

export async function makeRoom(context: NodeContext): Promise<void> {
  if (longestIdle(context.activations.all()) === undefined) return;
  if (!(await takeWantedRoom(context.registry, context.nodeId))) return;
  const activation = longestIdle(context.activations.all());
  if (activation !== undefined) await requestSuspend(context, activation, 'idle, and others wait for room');
}

export function longestIdle(activations: readonly Activation[]): Activation | undefined {
  const idle = activations.filter(
    ({ gate, quietUntil }) => gate.idleMs() >= leastIdleMs && performance.now() >= quietUntil,
  );
  return idle.sort((a, b) => b.gate.idleMs() - a.gate.idleMs())[0];
}
