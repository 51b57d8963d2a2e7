/**
 * The door of one activation: counts what is inside, and closes for a suspend without cutting anybody off.
 *
 *   open ──► draining ──► closed ──► (disposed with the activation)
 *     ▲         │            │
 *     └─────────┴── reopen ──┘
 *
 * Requests, streams and WebSockets all hold a lease while they last, so any of them keeps the actor awake.
 */
import type { RefusalReason } from '../../shared/http/ingress-contract.ts';

export interface Lease extends Disposable {
  /** Ends when the gate gives up waiting and the exchange has to be broken off. */
  readonly signal: AbortSignal;
}

export interface Gate {
  enter(): Lease | RefusalReason;
  /** Lets nobody in and waits for those inside; after the limit they are broken off. Says whether any was. */
  drain(limitMs: number): Promise<'drained' | 'cut'>;
  reopen(): void;
  readonly inside: number;
  /** Milliseconds since the last exchange ended, by the process's own clock; 0 while one is inside. */
  idleMs(): number;
}

/** `onLeave` is called whenever an exchange has ended. */
export function createGate(onLeave?: () => void): Gate {
  let open = true;
  let cut = new AbortController();
  let emptied: (() => void) | undefined;
  let lastActiveAt = performance.now();
  const leases = new Set<Lease>();

  const leave = (lease: Lease): void => {
    if (!leases.delete(lease)) return;
    lastActiveAt = performance.now();
    onLeave?.();
    if (leases.size === 0) emptied?.();
  };
  return {
    get inside() {
      return leases.size;
    },
    idleMs: () => (leases.size > 0 ? 0 : performance.now() - lastActiveAt),
    enter() {
      if (!open) return 'draining';
      const lease: Lease = { signal: cut.signal, [Symbol.dispose]: () => leave(lease) };
      leases.add(lease);
      return lease;
    },
    async drain(limitMs) {
      open = false;
      if (leases.size === 0) return 'drained';
      const { promise, resolve } = Promise.withResolvers<'drained' | 'cut'>();
      const timer = setTimeout(() => resolve('cut'), limitMs);
      emptied = () => resolve('drained');
      const outcome = await promise;
      clearTimeout(timer);
      emptied = undefined;
      if (outcome === 'cut') cut.abort(new Error('the actor is suspended'));
      return outcome;
    },
    reopen() {
      cut = new AbortController();
      lastActiveAt = performance.now();
      open = true;
    },
  };
}
