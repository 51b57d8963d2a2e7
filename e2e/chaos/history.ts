/**
 * What the clients saw, in the order in which it ended. Instants are milliseconds since 1970 with fractions, by one clock
 * for all clients; the platform's logs on the same machine use that clock too.
 */

interface Span {
  readonly actor: string;
  readonly invokedAt: number;
  readonly completedAt: number;
}

/** An increment that was answered: it happened exactly once, at some moment of its span. */
export interface Counted extends Span {
  readonly kind: 'call';
  readonly outcome: 'ok';
  readonly memory: number;
  readonly file: number;
  /** The activation that answered. */
  readonly epoch: string;
}

/** `fail`: refused before it could reach the actor. `unknown`: it may have happened, once, at any time since. */
export interface Uncounted extends Span {
  readonly kind: 'call';
  readonly outcome: 'fail' | 'unknown';
  readonly why: string;
}

/** A suspend or resume that a client asked for and waited for. */
export interface Move extends Span {
  readonly kind: 'move';
  readonly verb: 'suspend' | 'resume';
  readonly outcome: 'done' | 'fail' | 'unknown';
  /** Of a suspend that committed: the activation whose state is durable since. */
  readonly epoch?: string;
  readonly why?: string;
}

/** What the api said about the actor. */
export interface Look extends Span {
  readonly kind: 'look';
  readonly state: string;
  readonly generation: number;
  readonly epoch: string | undefined;
  /** Where it is, or was last. */
  readonly node: string | undefined;
}

export type HistoryEvent = Counted | Uncounted | Move | Look;

export const now = (): number => performance.timeOrigin + performance.now();

export const countedIn = (history: readonly HistoryEvent[]): Counted[] =>
  history.filter((event) => event.kind === 'call' && event.outcome === 'ok');

export const unknownIn = (history: readonly HistoryEvent[]): Uncounted[] =>
  history.filter((event): event is Uncounted => event.kind === 'call' && event.outcome === 'unknown');
