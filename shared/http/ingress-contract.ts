/**
 * What the api and a worker's ingress say to each other. The api sends the caller's request (path and query as the actor
 * shall see them) with the two routing headers and its pass (node-pass.ts); the ingress passes it to the actor if it holds exactly that activation,
 * and otherwise refuses BEFORE it passes anything on, so that the api can look again and send the request elsewhere.
 * A body that is large, or has not come whole yet, is held back with `Expect: 100-continue`: the 100 says that the activation
 * is pinned and the body may come. A small one comes with its headers, and the api keeps it until it has been admitted.
 */

export const ingressHeaders = {
  actor: 'dormouse-actor',
  epoch: 'dormouse-epoch',
  /** That an api sends it. Nothing is looked at without. */
  pass: 'dormouse-pass',
  /** On a 421 or 401 answer: why the ingress refused. Never set on an actor's own answer. */
  refusal: 'dormouse-refusal',
} as const;

/** 421 Misdirected Request: this node does not hold that activation (any more). 401: it does not know who asks. */
export const refusalStatus = (reason: RefusalReason): 401 | 421 => (reason === 'unknown-caller' ? 401 : 421);

/** `dormouse-refusal: actor-unreachable` on a 502: the activation is here, but its program ended the exchange. */
export const unreachableReason = 'actor-unreachable';

export const refusalReasons = ['unknown-caller', 'unknown-actor', 'stale-epoch', 'draining'] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/**
 * Where an ingress listens besides its port, for an api beside it: what is sent on it does not
 * run the machine's TCP stack, sender's and receiver's. Its name (unix(7), abstract) is of one boot of one worker,
 * leaves no file behind, and is known within the worker's network namespace only: elsewhere nobody is found there.
 */
export const ingressSocketOf = (bootId: string): string => `\0dormouse-ingress-${bootId}`;
