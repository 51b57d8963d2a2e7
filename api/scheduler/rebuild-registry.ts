/** A rebuild of the registry as an operation: its counts can be looked at while it runs. */
import { serializeError } from '../../shared/errors/dormouse-error.ts';
import { rebuild } from '../../shared/rebuild/rebuild.ts';
import type { Operation } from '../../shared/registry/records.ts';
import type { ApiParts } from '../parts.ts';
import { newOperation } from './operations.ts';

type Parts = Pick<ApiParts, 'registry' | 'store' | 'log'>;

/** A store of a million actors is read in that time; a store that hangs ends each call much earlier. */
const limitMs = 3600 * 1000;
const progressEveryMs = 1000;

export interface RebuildUnderWay {
  readonly operation: Operation;
  /** Resolves with the operation as it ended. */
  readonly ended: Promise<Operation>;
}

/** `onProgress` is called about once a second; what it throws ends the rebuild. */
export async function beginRebuild(
  parts: Parts,
  stop: AbortSignal,
  onProgress?: () => Promise<unknown>,
): Promise<RebuildUnderWay> {
  const operation: Operation = { ...newOperation('rebuild', 'registry'), state: 'running' };
  await parts.registry.putOperation(operation);
  return { operation, ended: run(parts, operation, stop, onProgress) };
}

async function run(
  parts: Parts,
  operation: Operation,
  stop: AbortSignal,
  onProgress: (() => Promise<unknown>) | undefined,
): Promise<Operation> {
  const { registry, log } = parts;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(limitMs)]);
  let toldAt = performance.now();
  const end = async (result: Partial<Operation>): Promise<Operation> => {
    const ended: Operation = { ...operation, ...result, finishedAt: new Date().toISOString() };
    await registry.putOperation(ended);
    return ended;
  };
  try {
    const counts = await rebuild(parts, {
      signal,
      async onProgress(soFar) {
        if (performance.now() - toldAt < progressEveryMs) return;
        toldAt = performance.now();
        log.info(soFar, 'registry is being rebuilt from the store');
        await registry.putOperation({ ...operation, counts: soFar });
        await onProgress?.();
      },
    });
    log.info(counts, 'registry rebuilt from the store');
    return await end({ state: 'done', counts });
  } catch (error) {
    log.error({ err: error }, 'registry could not be rebuilt');
    return end({ state: 'failed', error: serializeError(error) });
  }
}
