/** Every state change of the platform, live. A hint to look again: what happened while nobody listened is not repeated. */
import { serverSentEvents } from './event-stream.ts';
import { connectionFailure, type CallOptions, type Transport } from './transport.ts';

export interface Change {
  readonly kind: 'actor' | 'operation' | 'template' | 'node';
  readonly id: string;
  readonly state: string;
  readonly [fact: string]: unknown;
}

export interface Events {
  /** Until the api ends the stream, the connection or the signal breaks it (both throw), or the loop is left. */
  watch(options?: CallOptions): AsyncIterable<Change>;
}

export function eventsOf(transport: Transport): Events {
  return { watch: (options = {}) => watch(transport, options) };
}

async function* watch(transport: Transport, options: CallOptions): AsyncGenerator<Change, void, undefined> {
  const headers = { accept: 'text/event-stream' };
  const response = await transport.open({ method: 'GET', path: '/v1/events', headers, ...options });
  if (response.body === null) return;
  try {
    for await (const event of serverSentEvents(response.body)) {
      const change = parseChange(event.data);
      if (change !== undefined) yield change;
    }
  } catch (error) {
    throw connectionFailure(transport.baseUrl, error, options.signal);
  }
}

/** Undefined for what is no change: a newer api may send more than this client knows. */
function parseChange(data: string): Change | undefined {
  try {
    const value: unknown = JSON.parse(data);
    const isChange = typeof value === 'object' && value !== null && 'kind' in value && 'id' in value;
    return isChange ? (value as Change) : undefined;
  } catch {
    return undefined;
  }
}
