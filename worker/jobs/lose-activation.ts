/** A VM that ended by itself: the actor falls back to its last generation, and its record says why. */
import { fallBack } from '../../shared/actor/fall-back.ts';
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import type { Activation } from '../activation/activation.ts';
import type { NodeContext } from '../node-context.ts';

/** After that the api's reaper finds the actor by its lease or deadline. */
const limitMs = 30_000;
/** Enough to name the cause in one message; `details` has all of it. */
const shownLines = 4;

export async function loseActivation(context: NodeContext, activation: Activation, words: string): Promise<void> {
  const { identity, epoch } = activation;
  const log = context.log.child({ actorId: identity.id, epoch });
  log.error({ words }, 'virtual machine ended');
  using losing = context.activations.lose(activation);
  if (losing === undefined) return;
  try {
    activation.connections.destroy();
    await activation.sandbox[Symbol.asyncDispose]();
    const record = await context.registry.getActor(identity.id);
    if (record?.epoch !== epoch) return;
    const error = serializeError(
      new DormouseError('vmm-failed', `the virtual machine ended: ${lastWords(words)}`, {
        details: { console: words },
      }),
    );
    await fallBack({
      ...context,
      record,
      reason: 'its virtual machine ended',
      error,
      signal: AbortSignal.timeout(limitMs),
    });
  } catch (error) {
    log.error({ err: error }, 'fall back failed');
  }
}

/** The guest says on its console why it ends (`dormouse: …`), followed by the container's last lines. */
function lastWords(words: string): string {
  const lines = words.trim().split('\n');
  const said = lines.findLastIndex((line) => line.startsWith('dormouse: '));
  const telling = said < 0 ? lines.slice(-shownLines) : lines.slice(said, said + shownLines);
  return telling.join(' | ');
}
