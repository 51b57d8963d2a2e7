/**
 * The node's lease: what makes it the one that may run its actors. It is renewed well before it ends; when it cannot be,
 * the node fences itself by its own monotonic clock before others may take over.
 */
import type { NodeRecord } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import { until } from '../../shared/process/until.ts';

/** Renewed at a third: two renewals may fail before it matters. */
const renewShare = 1 / 3;
/** Fenced at four fifths of the lease: the rest is for ending every VM before anyone else may start one. */
const fenceShare = 0.8;

export interface NodeLease extends AsyncDisposable {
  /** Resolves, with the reason, when the lease is lost. Everything this node runs must end at once. */
  readonly lost: Promise<string>;
}

export interface LeaseRequest {
  readonly record: NodeRecord;
  readonly leaseMs: number;
  /** A boot of this node that is certainly over: its lease need not be waited out. */
  readonly deadBootId: string | undefined;
}

export async function takeLease(registry: Registry, request: LeaseRequest, log: Logger): Promise<NodeLease> {
  const { record, leaseMs, deadBootId } = request;
  const signal = AbortSignal.timeout(2 * leaseMs);
  // A worker on another machine that had this id may still run; its lease is waited out.
  await until(() => registry.announceNode(record, leaseMs, deadBootId), {
    signal,
    everyMs: 200,
    what: `the lease of node ${record.id}`,
  });
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>();
  let renewedAt = performance.now();
  let renewing = false;

  const renew = async (): Promise<void> => {
    if (renewing) return;
    renewing = true;
    const askedAt = performance.now(); // the lease runs from when Redis got the command, which is later than this
    try {
      if (await registry.renewLease(record.id, record.bootId, leaseMs)) renewedAt = askedAt;
      else lose('another worker holds the lease of this node');
    } catch (error) {
      log.warn({ err: error }, 'lease not renewed');
    } finally {
      renewing = false;
    }
  };
  const renewTimer = setInterval(() => void renew(), leaseMs * renewShare);
  const fenceTimer = setInterval(() => {
    const age = performance.now() - renewedAt;
    if (age > leaseMs * fenceShare) lose(`the lease was not renewed for ${Math.round(age)} ms`);
  }, leaseMs / 50);
  return {
    lost,
    async [Symbol.asyncDispose]() {
      clearInterval(renewTimer);
      clearInterval(fenceTimer);
      await registry.releaseLease(record.id, record.bootId);
    },
  };
}
