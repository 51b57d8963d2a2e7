/**
 * Every state change of the platform, live. `after` goes on from an event seen before; what is no longer kept since then
 * comes as an event of type `gap`: look for yourself.
 */
import { serverSentEvents } from './event-stream.ts';
import { connectionFailure, type CallOptions, type Transport } from './transport.ts';

export interface Change {
  readonly type: 'actor' | 'template' | 'node' | 'gap';
  /** Its place: what `after` takes. None of a gap. */
  readonly id?: string;
  readonly at?: string;
  readonly actor?: string;
  readonly template?: string;
  /** Of a node's event, itself; of an actor's, where it is or was. */
  readonly node?: string;
  readonly from?: string;
  /** The state now; `gone` for what no longer exists. */
  readonly to?: string;
  readonly cause?: string;
  readonly epoch?: string;
  readonly generation?: number;
  /** Milliseconds of the steps that led to this state. */
  readonly phases?: Readonly<Record<string, number>>;
}

export interface WatchOptions extends CallOptions {
  /** Only after this event; `0-0`: from the oldest that is kept. Left out: from now on. */
  readonly after?: string;
  /** Only events of this actor. */
  readonly actor?: string;
}

export interface Events {
  /** Until the api ends the stream, the connection or the signal breaks it (both throw), or the loop is left. */
  watch(options?: WatchOptions): AsyncIterable<Change>;
}

export function eventsOf(transport: Transport): Events {
  return { watch: (options = {}) => watch(transport, options) };
}

async function* watch(transport: Transport, options: WatchOptions): AsyncGenerator<Change, void, undefined> {
  const { after, actor, ...call } = options;
  const headers = { accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) };
  const path = actor === undefined ? '/v1/events' : `/v1/events?actor=${encodeURIComponent(actor)}`;
  const response = await transport.open({ method: 'GET', path, headers, ...call });
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
    const isChange = typeof value === 'object' && value !== null && 'type' in value;
    return isChange ? (value as Change) : undefined;
  } catch {
    return undefined;
  }
}
