/**
 * The actors and templates of one run. Each is written down before it is asked for, so that one whose answer was lost is
 * deleted too; disposing deletes what is left, whatever ended the run. Failure: `internal`, naming what stayed behind.
 */
import { DormouseApiError } from '../sdk/api-error.ts';
import type { DormouseClient } from '../sdk/client.ts';
import { poll } from '../sdk/polling.ts';
import type { TemplateSpec } from '../sdk/templates.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';

export interface MadeThings extends AsyncDisposable {
  /** Creates an actor under a name of this run. */
  actor(template: string, options: { readonly coldStart: boolean }, signal: AbortSignal): Promise<string>;
  /** Applies the specification under a name of this run and returns that name. */
  template(specification: TemplateSpec, signal: AbortSignal): Promise<string>;
  /** Deletes an actor now, and returns when it is gone: its removal must not run beside the next measurement. */
  remove(actor: string): Promise<void>;
}

/** A job that holds the actor (a wake, a suspend) may have to end first; the longest may take two minutes. */
const actorRemovalLimitMs = 150_000;
/** A template that is still being prepared cannot be deleted: the api gives that ten minutes. */
const templateRemovalLimitMs = 660_000;

/** Somebody else's work on it must end first: a transition of an actor, a preparation, the last actor of a template. */
const passing: ReadonlySet<string> = new Set(['state-conflict', 'template-not-ready', 'template-in-use']);

export function createMadeThings(client: DormouseClient, runId: string): MadeThings {
  const actors = new Set<string>();
  const templates = new Set<string>();
  let count = 0;
  const nextName = (): string => `loadtest-${runId}-${++count}`;

  async function remove(actor: string): Promise<void> {
    await removeWith(
      actor,
      actorRemovalLimitMs,
      (id, signal) => client.actors.delete(id, { signal }),
      (id, signal) => client.actors.get(id, { signal }),
    );
    actors.delete(actor);
  }

  async function removeTemplate(name: string): Promise<void> {
    await removeWith(
      name,
      templateRemovalLimitMs,
      (id, signal) => client.templates.delete(id, { signal }),
      (id, signal) => client.templates.get(id, { signal }),
    );
    templates.delete(name);
  }

  return {
    async actor(template, { coldStart }, signal) {
      const id = nextName();
      actors.add(id);
      await client.actors.create({ id, template, ...(coldStart ? { coldStart } : {}) }, { signal });
      return id;
    },
    async template(specification, signal) {
      const name = nextName();
      templates.add(name);
      await client.templates.apply({ ...specification, name }, { signal });
      return name;
    },
    remove,
    async [Symbol.asyncDispose]() {
      const failures = await Promise.allSettled([...actors].map(remove));
      // A template is in use until its last actor is gone.
      failures.push(...(await Promise.allSettled([...templates].map(removeTemplate))));
      const causes = failures.flatMap((failure): unknown[] => (failure.status === 'rejected' ? [failure.reason] : []));
      if (causes.length > 0) throw leftBehind([...actors, ...templates], causes);
    },
  };
}

/** Asks for the removal until it is accepted, then looks until nothing is there. Not being there is what is wanted. */
async function removeWith(
  name: string,
  limitMs: number,
  remove: (name: string, signal: AbortSignal) => Promise<unknown>,
  look: (name: string, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  // Its own limit: the signal of the run may be what brought us here.
  const signal = AbortSignal.timeout(limitMs);
  let accepted = false;
  await poll(`the removal of ${name}`, { timeoutMs: limitMs, signal }, async () => {
    try {
      await (accepted ? look(name, signal) : remove(name, signal));
      accepted = true;
      return undefined;
    } catch (error) {
      if (!(error instanceof DormouseApiError)) throw error;
      if (error.status === 404 || error.status === 410) return true;
      if (passing.has(error.code)) return undefined;
      throw error;
    }
  });
}

const leftBehind = (names: readonly string[], causes: readonly unknown[]): DormouseError =>
  new DormouseError('internal', `could not delete ${names.join(', ')}`, { cause: new AggregateError(causes) });
