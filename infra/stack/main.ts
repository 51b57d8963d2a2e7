/**
 * `npm start`, after the set-up: runs the platform on this machine until Ctrl-C. Exit code 0 after a stop that was asked
 * for, 1 when it could not start or a process failed for good.
 */
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { readStackConfig } from './config.ts';
import { print, printDeath, printFailure, printPhase, printWarning, welcome } from './console.ts';
import { builtTemplates } from './bundled-templates.ts';
import { listenForInterrupts, type Interrupts } from './interrupt.ts';
import { startStack, type Stack } from './stack.ts';
import { summariseWarnings } from './warnings.ts';

/** A template that is not ready yet says so this often, so that nobody wonders whether it still works. */
const progressMs = 5_000;

// A closed terminal takes the console away, and must not take the orderly stop with it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  using interrupts = listenForInterrupts();
  process.exitCode = await run(interrupts);
} catch (error) {
  printFailure(toDormouseError(error).message);
  process.exitCode = 1;
}

async function run(interrupts: Interrupts): Promise<number> {
  const config = readStackConfig(process.env);
  const options = {
    onPhase: printPhase,
    onDeath: printDeath,
    onWarning: summariseWarnings(printWarning),
    cancel: interrupts.graceful,
  };
  const stack = await startStack(config, options).catch((error: unknown) => {
    if (interrupts.graceful.aborted) return undefined;
    throw error;
  });
  if (stack === undefined) return 0;
  interrupts.immediate.addEventListener('abort', () => {
    printWarning('stopping at once: actors that were awake keep their last durable state');
    void stack.kill9();
  });
  const failure = await serve(stack, interrupts.graceful);
  if (failure !== undefined) printFailure(failure.message);
  await stack.stop();
  printPhase('everything has stopped');
  return failure === undefined ? 0 : 1;
}

/** Runs until it is told to stop (undefined), or until it cannot go on (the reason). */
async function serve(stack: Stack, stopAsked: AbortSignal): Promise<Error | undefined> {
  const asked = new Promise<undefined>((resolve) => {
    stopAsked.addEventListener('abort', () => resolve(undefined));
    if (stopAsked.aborted) resolve(undefined);
  });
  const prepared = prepareTemplates(stack).then(
    () => print(welcome(stack.url, stack.config, stack.nodes)),
    (error: unknown) => {
      if (stopAsked.aborted) return;
      printWarning(`${toDormouseError(error).message}\n  The platform runs on, without this template: ${stack.url}`);
    },
  );
  const first = await Promise.race([asked, stack.gaveUp, prepared.then(() => 'prepared' as const)]);
  return first === 'prepared' ? Promise.race([asked, stack.gaveUp]) : first;
}

async function prepareTemplates(stack: Stack): Promise<void> {
  for (const { spec: template } of Object.values(await builtTemplates(['counter']))) {
    const beganAt = performance.now();
    let state = 'applied';
    const show = () => {
      const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
      printPhase(`template ${template.name}: ${state} (${seconds} s)`);
    };
    const ticker = setInterval(show, progressMs);
    try {
      await stack.apply(template, (next) => {
        state = next;
        show();
      });
    } finally {
      clearInterval(ticker);
    }
  }
}
