/**
 * Any HTTP endpoint that scales to zero, as a target: a URL, a command that puts it to sleep, and perhaps one that wakes
 * it. `{n}` in any of them stands for a number, from 1, so that one platform can be measured with many endpoints.
 * Commands are argument arrays and see no shell; one that ends with anything but 0 is a failed call.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { StartKind } from '../result/result.ts';
import { answerOf } from './dormouse.ts';
import type { Answer, Target } from './target.ts';

export interface EndpointOptions {
  readonly url: string;
  readonly sleepCommand?: readonly string[];
  readonly wakeCommand?: readonly string[];
}

/** A woken endpoint that still refuses is asked again: short against any wake, long against one call. */
const askAgainMs = 20;
/** Scaling a deployment to zero may wait for a grace period of its own. */
const sleepLimitMs = 130_000;

export function endpointTarget(options: EndpointOptions): Target {
  const asleep = new Set<string>();
  let created = 0;
  const numbered = (text: string, actor: string): string => text.replaceAll('{n}', actor);
  const run = async (command: readonly string[], actor: string, signal: AbortSignal): Promise<void> => {
    const [file = '', ...words] = command.map((word) => numbered(word, actor));
    // setpriv: a command that hangs ends with us.
    await execa('setpriv', ['--pdeathsig', 'KILL', '--', file, ...words], { cancelSignal: signal, stdin: 'ignore' });
  };
  const ask = async (actor: string, path: string, signal: AbortSignal): Promise<Answer> =>
    answerOf(await fetch(at(numbered(options.url, actor), path), { signal, redirect: 'manual' }));

  return {
    url: options.url,
    create: () => Promise.resolve(String(++created)),
    remove: () => Promise.resolve(),
    async call(actor, path, signal) {
      const start: StartKind = asleep.delete(actor) ? 'warm' : 'hot';
      const { wakeCommand } = options;
      if (start === 'hot' || wakeCommand === undefined) return { start, ...(await ask(actor, path, signal)) };
      await run(wakeCommand, actor, signal);
      return { start, ...(await untilServed(() => ask(actor, path, signal), signal)) };
    },
    async sleep(actor, signal) {
      if (options.sleepCommand === undefined) {
        throw new DormouseError('invalid-input', 'this scenario puts endpoints to sleep: it needs --sleep-command');
      }
      await run(options.sleepCommand, actor, AbortSignal.any([signal, AbortSignal.timeout(sleepLimitMs)]));
      asleep.add(actor);
      return {};
    },
  };
}

/** The URL as it was given, or with a path below it. */
const at = (url: string, path: string): string => (path === '/' ? url : url.replace(/\/$/, '') + path);

/** A gateway answers 5xx, or refuses the connection, until what was woken behind it is there. */
async function untilServed(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    });
    if (answer !== undefined && answer.status < 500) return answer;
    await delay(askAgainMs, undefined, { signal });
  }
}
