/**
 * The live line while an actor wakes: what it is doing and for how long, looked up beside the call. It is a courtesy, so
 * whatever fails here is silent; the call itself tells.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../command.ts';

/** A hot call is over before the first look, and shows no line. */
const firstLookMs = 150;
const lookEveryMs = 250;
const still: ReadonlySet<string> = new Set(['running']);

/** Does the work, with the line above it. */
export async function watchingWake<Result>(context: Context, id: string, work: () => Promise<Result>): Promise<Result> {
  const done = new AbortController();
  const looking = look(context, id, done.signal).catch(() => undefined);
  try {
    return await work();
  } finally {
    done.abort();
    await looking;
    context.terminal.settle();
  }
}

async function look({ client, terminal }: Context, id: string, signal: AbortSignal): Promise<void> {
  const begun = performance.now();
  await delay(firstLookMs, undefined, { signal });
  for (;;) {
    const { state, waitsFor } = await client.actors.explain(id, { signal });
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    if (!still.has(state)) terminal.progress(`${id}: ${state}`, `${seconds} s, waits for ${waitsFor}`);
    await delay(lookEveryMs, undefined, { signal });
  }
}
