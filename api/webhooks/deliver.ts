/**
 * One message to one webhook, as standardwebhooks.com describes it: signed with the time of the attempt, the same
 * `webhook-id` at each attempt. An answer of 2xx is a delivery; its body is not read, and redirects are not followed.
 *
 * Failures: anything else, no answer in time, no connection. They are tried again after longer and longer pauses; then,
 * or at once when the receiver answers 410, the outcome is `given-up`, with words for whoever looks at the webhook.
 */
import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { keyOf, type Webhook } from './webhook.ts';

export interface Message {
  readonly id: string;
  readonly body: string;
}

export interface DeliveryOptions {
  readonly signal: AbortSignal;
  /** Pauses between attempts: one attempt more than there are. */
  readonly pausesMs: readonly number[];
  readonly onFailure: (reason: string) => Promise<void> | void;
}

export type Delivery = { readonly outcome: 'delivered' } | { readonly outcome: 'given-up'; readonly reason: string };

/** Nine attempts over some ten minutes: a deployment of the receiver, not its night. */
export const defaultPausesMs: readonly number[] = [1000, 2000, 5000, 10_000, 30_000, 60_000, 180_000, 300_000];
/** Whoever needs longer should answer first and work then. */
const answerLimitMs = 10_000;

export async function deliver(webhook: Webhook, message: Message, options: DeliveryOptions): Promise<Delivery> {
  const { signal, pausesMs, onFailure } = options;
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    const failure = await attemptOnce(webhook, message, signal);
    signal.throwIfAborted(); // an attempt that we broke off ourselves is no failure of the receiver
    if (failure === undefined) return { outcome: 'delivered' };
    await onFailure(failure);
    const pauseMs = pausesMs[attempt];
    if (failure === gone) return { outcome: 'given-up', reason: 'the receiver answered 410: it wants no more' };
    if (pauseMs === undefined) return { outcome: 'given-up', reason: `${attempt + 1} attempts failed: ${failure}` };
    await delay(pauseMs, undefined, { signal });
  }
}

const gone = 'answered 410';

/** Undefined when it was taken, otherwise why not. */
export async function attemptOnce(
  webhook: Webhook,
  { id, body }: Message,
  signal: AbortSignal,
): Promise<string | undefined> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  try {
    const answer = await fetch(webhook.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'dormouse-webhooks',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signatureOf(webhook.secret, id, timestamp, body),
      },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerLimitMs)]),
    });
    await answer.body?.cancel();
    return answer.ok ? undefined : `answered ${answer.status}`;
  } catch (error) {
    return wordsOf(error);
  }
}

export function signatureOf(secret: string, id: string, timestamp: string, body: string): string {
  const mac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`);
  return `v1,${mac.digest('base64')}`;
}

/** `fetch` says "fetch failed", and why in its cause. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${answerLimitMs} ms`;
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  return code ?? (cause instanceof Error ? cause.message : error.message);
}
