/**
 * The calls that a template's containers ask for before its golden is captured: what a program does on its first calls
 * and never again (the emulator's aside: load code, compile it, open what it needs) is then done once for all actors.
 *
 * Failure: `warm-up-failed`, with the container, the path, and what came instead of an answer.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ContainerSpec, TemplateSpec } from '../../shared/template/template-spec.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { callFromOutside } from './call-from-outside.ts';

/** For all of them together: as long as a container may take to become ready. */
const limitMs = 30_000;

export async function makeWarmUpCalls(
  { address }: Pick<Sandbox, 'address'>,
  { containers }: TemplateSpec,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(limitMs);
  const limited = AbortSignal.any([signal, limit]);
  for (const container of containers) {
    for (const { port, path } of callsOf(container)) {
      const answered = callFromOutside({ host: address, port, path, signal: limited });
      const status = await answered.catch((cause: unknown) => {
        signal.throwIfAborted();
        throw failed(container.name, path, wordsOf(cause, limit), { cause });
      });
      if (status < 200 || status >= 400) throw failed(container.name, path, `answered ${status}`, { status });
    }
  }
}

function callsOf({ warmUp, port }: ContainerSpec): { readonly port: number; readonly path: string }[] {
  const called = warmUp?.port ?? port;
  if (warmUp === undefined || called === undefined) return [];
  const round = warmUp.paths.map((path) => ({ port: called, path }));
  return Array.from({ length: warmUp.times }, () => round).flat();
}

function wordsOf(cause: unknown, limit: AbortSignal): string {
  if (limit.aborted) return `was not answered within the ${limitMs / 1000} s that all warm-up calls have`;
  return `was not answered: ${cause instanceof Error ? cause.message : String(cause)}`;
}

function failed(
  container: string,
  path: string,
  what: string,
  { cause, status }: { readonly cause?: unknown; readonly status?: number },
): DormouseError {
  return new DormouseError('warm-up-failed', `warm-up of container ${container}: GET ${path} ${what}`, {
    cause,
    details: { container, path, ...(status !== undefined && { status }) },
  });
}
