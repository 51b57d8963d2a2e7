/** Operations: what became of a resume, suspend, pause, delete or the preparation of a template. */
import { DormouseApiError } from './api-error.ts';
import type { Operation } from './generated/api.ts';
import { poll } from './polling.ts';
import { segment } from './request-path.ts';
import type { CallOptions, Transport } from './transport.ts';

export type { Operation };

/** Milliseconds by phase name. */
export type Phases = NonNullable<Operation['phases']>;

/** A failure as a resource keeps it. */
export type StoredError = NonNullable<Operation['error']>;

export interface OperationWaitOptions extends CallOptions {
  /** Default 180 s: longer than the api lets any job of an actor take. */
  readonly timeoutMs?: number | undefined;
  /** Called with each look at the operation, for progress. */
  readonly onProgress?: ((operation: Operation) => void) | undefined;
}

export interface Operations {
  get(id: string, options?: CallOptions): Promise<Operation>;
  /** Returns it once `done`; throws its error once `failed`, `wait-timeout` when neither came in time. */
  wait(id: string, options?: OperationWaitOptions): Promise<Operation>;
}

const defaultTimeoutMs = 180_000;

export function operationsOf(transport: Transport): Operations {
  const get = async (id: string, options: CallOptions = {}): Promise<Operation> =>
    (await transport.json({ method: 'GET', path: `/v1/operations/${segment(id)}`, ...options })) as Operation;

  async function wait(id: string, options: OperationWaitOptions = {}): Promise<Operation> {
    const { signal, onProgress, timeoutMs = defaultTimeoutMs } = options;
    return poll(`operation ${id}`, { timeoutMs, signal }, async () => {
      const operation = await get(id, { signal });
      onProgress?.(operation);
      if (operation.state === 'failed') throw errorOf(operation.error, `${operation.kind} of ${operation.target}`);
      return operation.state === 'done' ? operation : undefined;
    });
  }

  return { get, wait };
}

/** A stored failure, thrown as if it had just been answered. */
export function errorOf(stored: StoredError | undefined, what: string): DormouseApiError {
  return new DormouseApiError({
    status: 0,
    code: stored?.code ?? 'internal',
    message: `${what} failed: ${stored?.message ?? 'no reason was given'}`,
    retryable: stored?.retryable ?? false,
    details: stored?.details,
  });
}
