/**
 * The node's lease: what makes it the one that may run its actors. It is renewed well before it ends. When it cannot be,
 * the node freezes by its own monotonic clock, long before others may take over, and then tries to take it again.
 *
 *   held ──(no renewal in time, or the registry lost the lease)──► lapsed: frozen, asks for the lease again
 *     ▲                                                              │   │
 *     └──── taken again by the same boot: guard.lift ────────────────┘   └──► lost: another boot has the node, this one
 *                                                                             was declared over, or the limit passed
 *
 * Whoever would take the actors of a lapsed node has its boot declared over first (registry), atomically with the lease
 * being gone; so either the lease is had again and nobody has touched the actors, or it never is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LeaseAnswer, NodeRegistry } from '../../shared/registry/registry.ts';
import type { NodeRecord } from '../../shared/registry/records.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import { until } from '../../shared/process/until.ts';
import { monotonicMs } from '../watchdog/order.ts';

/** When what happens, as a share of the lease and counted from the last renewal that was asked for in time. */
export const leaseShares = {
  /** Renewed at a quarter: one lost renewal costs nothing. */
  renew: 0.25,
  /** The worker freezes. It costs a pause, so it may come early. */
  freeze: 0.6,
  /** The watchdog freezes what the worker, which must be hanging, has not. */
  watchdogFreeze: 0.7,
  /** The watchdog kills what could not even report that it is frozen: the rest is for ending before others may start. */
  watchdogEnd: 0.85,
} as const;

type LeaseRegistry = Pick<NodeRegistry, 'announceNode' | 'renewLease' | 'retakeLease' | 'releaseLease'>;

/** What the lease guards, told of every turn. */
export interface LeaseGuard {
  /** Renewed, as of that instant. Resolves with false when the VMs were stopped behind our back. */
  renewed(atMs: number): Promise<boolean>;
  /** At once and without waiting for anything: nobody gets in, every VM stops. */
  freeze(): void;
  /** The lease is held again as of that instant: whatever still belongs to this node may go on. Aborted when it lapses again. */
  lift(atMs: number, signal: AbortSignal): Promise<void>;
}

export interface NodeLease extends AsyncDisposable {
  /** Resolves, with the reason, when the lease is lost for good. Everything this node runs must end at once. */
  readonly lost: Promise<string>;
}

export interface LeaseRequest {
  readonly record: NodeRecord;
  readonly leaseMs: number;
  /** A boot of this node that is certainly over: its lease need not be waited out. */
  readonly deadBootId: string | undefined;
  /** How long frozen VMs are kept for a lease that does not come back. */
  readonly holdMs: number;
}

export async function takeLease(
  registry: LeaseRegistry,
  request: LeaseRequest,
  guard: LeaseGuard,
  log: Logger,
): Promise<NodeLease> {
  const takenAt = await announce(registry, request);
  await guard.renewed(takenAt);
  return keepLease(registry, request, guard, log, takenAt);
}

async function announce(registry: LeaseRegistry, request: LeaseRequest): Promise<number> {
  const { record, leaseMs, deadBootId } = request;
  let askedAt = 0;
  const announced = (): Promise<boolean> => {
    askedAt = monotonicMs(); // the lease runs from when Redis got the command, which is later than this
    return registry.announceNode(record, leaseMs, deadBootId);
  };
  // A worker on another machine that had this id may still run; its lease is waited out.
  const signal = AbortSignal.timeout(2 * leaseMs);
  await until(announced, { signal, everyMs: 200, what: `the lease of node ${record.id}` });
  return askedAt;
}

function keepLease(
  registry: LeaseRegistry,
  { record, leaseMs, holdMs }: LeaseRequest,
  guard: LeaseGuard,
  log: Logger,
  takenAt: number,
): NodeLease {
  const lost = Promise.withResolvers<string>();
  const over = new AbortController();
  let renewedAt = takenAt;
  let lapsedAt: number | undefined;
  let lifting = new AbortController();
  let hurry = new AbortController();

  const lose = (reason: string): void => {
    over.abort();
    lifting.abort();
    lost.resolve(reason);
  };
  const lapse = (reason: string): void => {
    if (lapsedAt !== undefined || over.signal.aborted) return;
    lapsedAt = monotonicMs();
    lifting.abort();
    guard.freeze();
    log.error({ reason }, 'node frozen until it has its lease again');
    hurry.abort();
  };
  const renewed = (askedAt: number): void => {
    renewedAt = askedAt;
    void guard.renewed(askedAt).then((undisturbed) => {
      if (!undisturbed) lapse('its virtual machines were stopped by the watchdog');
    });
  };
  const regained = (askedAt: number): void => {
    log.info({ frozenMs: Math.round(monotonicMs() - (lapsedAt ?? askedAt)) }, 'lease taken again');
    renewedAt = askedAt;
    lapsedAt = undefined;
    lifting = new AbortController();
    guard.lift(askedAt, lifting.signal).catch((error: unknown) => log.error({ err: error }, 'node not thawed'));
  };
  const ask = async (): Promise<void> => {
    const askedAt = monotonicMs();
    const lapsed = lapsedAt;
    const answer = await withLimit(
      lapsed === undefined ? registry.renewLease(record.id, record.bootId, leaseMs) : retake(registry, record, leaseMs),
      leaseMs * leaseShares.renew,
    );
    // What was asked before things changed, or too long ago, says nothing any more: the next question does.
    if (over.signal.aborted || lapsed !== lapsedAt || monotonicMs() - askedAt > leaseMs * leaseShares.freeze) return;
    if (answer === 'taken') lose('this boot of the node is over: another one has it, or it was given up');
    else if (answer === 'gone') lapse('the registry has no lease of this node any more');
    else if (lapsed === undefined) renewed(askedAt);
    else regained(askedAt);
  };
  const look = (): void => {
    if (over.signal.aborted) return;
    const now = monotonicMs();
    if (lapsedAt === undefined && now - renewedAt > leaseMs * leaseShares.freeze) {
      lapse(`not renewed for ${Math.round(now - renewedAt)} ms`);
    }
    if (lapsedAt !== undefined && now - lapsedAt > holdMs) lose(`not had again within ${holdMs} ms`);
  };
  const keep = async (): Promise<void> => {
    while (!over.signal.aborted) {
      hurry = new AbortController();
      const signal = AbortSignal.any([over.signal, hurry.signal]);
      await delay(leaseMs * leaseShares.renew, undefined, { signal }).catch(() => undefined);
      await ask().catch((error: unknown) => log.warn({ err: error }, 'lease not renewed'));
    }
  };
  const looking = setInterval(look, leaseMs / 50);
  const kept = keep();
  return {
    lost: lost.promise,
    async [Symbol.asyncDispose]() {
      clearInterval(looking);
      over.abort();
      await kept;
      await registry.releaseLease(record.id, record.bootId);
    },
  };
}

const retake = async (registry: LeaseRegistry, record: NodeRecord, leaseMs: number): Promise<LeaseAnswer> =>
  (await registry.retakeLease(record, leaseMs)) ? 'held' : 'taken';

/** A registry that hangs is asked again; the late answer to this question is not waited for. */
async function withLimit(answer: Promise<LeaseAnswer>, limitMs: number): Promise<LeaseAnswer> {
  answer.catch(() => undefined);
  const limit = new AbortController();
  const late = delay(limitMs, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`no answer within ${limitMs} ms`);
  });
  late.catch(() => undefined);
  return Promise.race([answer, late]).finally(() => limit.abort());
}
