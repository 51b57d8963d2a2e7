/**
 * Every state change of the platform, live. `after` goes on from an event seen before; what is no longer kept since then
 * comes as an event of type `gap`: look for yourself. A broken connection is made again, and misses nothing.
 */
import { queryString } from './request-path.ts';
import { resumingEvents } from './resuming-stream.ts';
import type { CallOptions, Transport } from './transport.ts';

export interface Change {
  readonly type: 'actor' | 'template' | 'node' | 'gap';
  /** Its place: what `after` takes. None of a gap. */
  readonly id?: string;
  readonly at?: string;
  readonly actor?: string;
  readonly template?: string;
  /** Of the actor or the template; none of a node. */
  readonly namespace?: string;
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
  readonly after?: string | undefined;
  /** Only events of this actor. */
  readonly actor?: string | undefined;
}

export interface Events {
  /** Until the loop is left, or throws: the signal's reason, or why the api could not be reached any more. */
  watch(options?: WatchOptions): AsyncIterable<Change>;
}

export function eventsOf(transport: Transport): Events {
  return { watch: (options = {}) => watch(transport, options) };
}

async function* watch(transport: Transport, options: WatchOptions): AsyncGenerator<Change, void, undefined> {
  const { after, actor, signal } = options;
  const path = (): string => `/v1/events${queryString({ actor })}`;
  for await (const event of resumingEvents(transport, { path, after, signal })) {
    const change = parseChange(event.data);
    if (change !== undefined) yield change;
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
