/**
 * What a worker does when it is asked to stop: it leaves placement, brings every actor to the store, and ends the rest, so
 * that other nodes can carry on at once and nothing waits for its lease to run out.
 */
import type { ActivationTable } from '../activation/activation.ts';
import type { JobConsumer } from '../jobs/consume.ts';
import type { NodeContext } from '../node-context.ts';
import { suspendAll } from './drain.ts';
import { placedHere, recoverActors } from './recover.ts';

/** All actors of a node to the store; what is not there by then falls back to its last generation. */
const suspendAllLimitMs = 120_000;
const recoverLimitMs = 60_000;

/** Those that could not be brought to the store fall back. `others` still start suspends of their own: they end first. */
export async function giveBack(
  context: NodeContext,
  jobs: JobConsumer,
  others: readonly (Disposable | AsyncDisposable)[],
): Promise<void> {
  const { registry, nodeId, log, activations } = context;
  await registry.setNodeState(nodeId, 'draining').catch((error: unknown) => {
    log.warn({ err: error }, 'node could not leave placement');
  });
  await context.pool.drain();
  for (const other of others) {
    if (Symbol.asyncDispose in other) await other[Symbol.asyncDispose]();
    else other[Symbol.dispose]();
  }
  const left = await suspendAll(context, 'the node is stopping', AbortSignal.timeout(suspendAllLimitMs));
  if (left.length > 0) log.error({ left }, 'actors fall back to their last generation');
  await jobs.stop();
  await endActivations(activations);
  await recoverActors(
    context,
    await placedHere(context),
    `node ${nodeId} stopped`,
    AbortSignal.timeout(recoverLimitMs),
  );
}

/** Ends every VM; nothing is kept. */
export async function endActivations(activations: ActivationTable): Promise<void> {
  await Promise.allSettled(
    activations.all().map(async (activation) => {
      activations.remove(activation);
      activation.connections.destroy();
      await activation.sandbox[Symbol.asyncDispose]();
    }),
  );
}
