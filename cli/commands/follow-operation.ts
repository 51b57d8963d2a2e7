/** Jobs: what `--wait` does, and how an operation is shown. */
import type { Phases, Operation } from '../../sdk/operations.ts';
import { positiveNumber } from '../arguments.ts';
import type { Context, OptionFacts } from '../command.ts';

export const waitOptions = {
  wait: { type: 'boolean', help: 'return when the job is done; its phases are shown meanwhile' },
  timeout: { type: 'string', value: 'seconds', help: 'how long --wait waits' },
} as const satisfies Record<string, OptionFacts>;

/** `--timeout`, in milliseconds. */
export function timeoutMs(context: Context): number | undefined {
  const seconds = positiveNumber(context.arguments, 'timeout');
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Follows the operation to its end when `--wait` asks for it, then shows it. */
export async function followOperation(context: Context, accepted: Operation): Promise<void> {
  const wanted = context.arguments.flag('wait') && accepted.state !== 'done';
  const operation = wanted
    ? await context.client.operations.wait(accepted.id, {
        timeoutMs: timeoutMs(context),
        signal: context.signal,
        onProgress: ({ kind, target, state, phases = {} }) =>
          context.terminal.progress(`${kind} ${target}: ${state}`, phaseText(phases)),
      })
    : accepted;
  const { id, kind, target, state, node, phases } = operation;
  context.terminal.show(operation, { operation: id, kind, target, state, node, phases: phases && phaseText(phases) });
}

export const phaseText = (phases: Phases): string =>
  Object.entries(phases)
    .map(([name, milliseconds]) => `${name} ${Number(milliseconds.toFixed(1))} ms`)
    .join(', ');
