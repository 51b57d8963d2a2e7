/**
 * At intervals this node looks for what fell between two processes: jobs that nobody sent (take-up.ts), and what it holds
 * and the registry does not agree on (reconcile.ts). Failures are logged, and the next round tries again.
 */
import type { NodeContext } from '../node-context.ts';
import type { JobsInHand } from './job-in-hand.ts';
import { reconcile, type Over } from './reconcile.ts';
import { takeUp } from './take-up.ts';

/** Callers wait for a wake that nobody ordered, two looks at the most; each costs a few looks at all actors of the node. */
const everyMs = 3000;
/** Longer than a lease can be: a registry that lost its memory has been told by then what runs where. */
const overGraceMs = 75_000;

export function lookRegularly(context: NodeContext, jobs: JobsInHand): Disposable {
  const over: Over = { since: new WeakMap<object, number>(), graceMs: overGraceMs };
  const awaited = new Set<string>();
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      await takeUp(context, jobs, awaited);
      await reconcile(context, jobs, over);
    } catch (error) {
      context.log.warn({ err: error }, 'what this node holds was not compared with the registry');
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
