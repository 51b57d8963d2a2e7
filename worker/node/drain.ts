/**
 * Empties a node: every actor it runs or keeps paused is suspended to the store, a few at a time, while other nodes carry on. Asked for by
 * the node's record (`draining`, which placement leaves alone) for as long as it says so, and before a worker stops.
 *
 * An actor whose suspend fails runs on and is asked again; what is left at the end of the limit is reported.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { requestSuspend } from '../activation/idle.ts';
import type { Activation } from '../activation/activation.ts';
import type { NodeContext } from '../node-context.ts';

/** How often the remaining actors are looked at. */
const lookEveryMs = 50;
/** A capture reads all of a guest's memory and fills the way to the store; more at once would only be slower for each. */
const atOnce = 4;
/** Bounds what a lost hint costs. */
const lookAtRecordEveryMs = 1000;

export interface LeftBehind {
  readonly actorId: string;
  readonly reason: string;
}

/** Returns when nothing of the node is left, neither here nor in the registry, or with what is left when the signal ends. */
export async function suspendAll(context: NodeContext, reason: string, signal: AbortSignal): Promise<LeftBehind[]> {
  const askedAt = new Map<Activation, number>();
  while (!signal.aborted && !(await isEmpty(context))) {
    await suspendCaptures(context, reason);
    const all = context.activations.all();
    const underWay = all.filter((activation) => isUnderWay(activation, askedAt.get(activation)));
    const free = all.filter(
      (activation) => !underWay.includes(activation) && performance.now() >= activation.quietUntil,
    );
    for (const activation of free.slice(0, Math.max(0, atOnce - underWay.length))) {
      askedAt.set(activation, performance.now());
      await requestSuspend(context, activation, reason).catch((error: unknown) => {
        askedAt.delete(activation);
        context.log.warn({ err: error, actorId: activation.identity.id }, 'suspend not requested');
      });
    }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  const left = [...context.activations.all(), ...context.captures.all()];
  return Promise.all(left.map(({ identity }) => leftBehind(context, identity.id)));
}

/** Captures are small and their suspends wake nothing; one that is under way is no longer `paused`. */
async function suspendCaptures(context: NodeContext, reason: string): Promise<void> {
  for (const { identity } of context.captures.all()) {
    await suspendPaused(context, identity.id, reason).catch((error: unknown) => {
      context.log.warn({ err: error, actorId: identity.id }, 'suspend not requested');
    });
  }
}

/** Under the actor's present epoch: a wake that failed may have followed the one it was paused in. */
async function suspendPaused(context: NodeContext, id: string, reason: string): Promise<void> {
  const record = await context.registry.getActor(id);
  if (record?.state !== 'paused' || record.epoch === undefined) return;
  await requestSuspend(context, { identity: { id }, epoch: record.epoch }, reason, 'paused');
}

/** A suspend that failed since it was asked for has set the time before which it is not to be asked again. */
const isUnderWay = ({ quietUntil }: Activation, askedAt: number | undefined): boolean =>
  askedAt !== undefined && quietUntil <= askedAt;

/** A start that was under way when the node left placement is an activation a moment later: only the registry knows it. */
async function isEmpty({ activations, captures, registry, nodeId, log }: NodeContext): Promise<boolean> {
  if (activations.all().length > 0 || captures.all().length > 0) return false;
  try {
    return (await registry.actorsOnNode(nodeId)).length === 0;
  } catch (error) {
    log.warn({ err: error }, 'actors of the node not known');
    return false;
  }
}

async function leftBehind({ registry }: NodeContext, actorId: string): Promise<LeftBehind> {
  const record = await registry.getActor(actorId).catch(() => undefined);
  return { actorId, reason: record?.lastError?.message ?? 'it was not suspended in time' };
}

/** Drains the node whenever its record says so, until it says otherwise. */
export function followDrain(context: NodeContext): AsyncDisposable {
  const { registry, nodeId, log } = context;
  let draining: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  const drain = async (signal: AbortSignal): Promise<void> => {
    await context.pool.drain();
    const left = await suspendAll(context, 'its node is draining', signal);
    log.info({ left }, signal.aborted ? 'node no longer draining' : 'node drained');
  };
  const look = async (): Promise<void> => {
    const state = (await registry.getNode(nodeId))?.state;
    if (state === 'ready') draining?.stop.abort();
    if (state !== 'draining' || draining !== undefined || (await isEmpty(context)) || closed) return;
    log.info('node draining');
    const stop = new AbortController();
    const done = drain(stop.signal).finally(() => (draining = undefined));
    draining = { stop, done };
  };
  const lookNow = (): void => {
    look().catch((error: unknown) => log.debug({ err: error }, 'state of the node not known'));
  };
  let closed = false;
  const timer = setInterval(lookNow, lookAtRecordEveryMs);
  const feed = registry.watchFleet((change) => {
    if (change.kind === 'node' && change.id === nodeId) lookNow();
  });
  return {
    async [Symbol.asyncDispose]() {
      closed = true;
      clearInterval(timer);
      feed[Symbol.dispose]();
      draining?.stop.abort();
      await draining?.done;
    },
  };
}
