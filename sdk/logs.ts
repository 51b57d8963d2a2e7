/**
 * What the containers of an actor wrote, asleep or awake. Following goes across its sleeps and nodes, and over broken
 * connections, each line once; it ends when the actor is deleted.
 */
import { DormouseApiError } from './api-error.ts';
import { serverSentEvents } from './event-stream.ts';
import { queryString, segment } from './request-path.ts';
import { resumingEvents } from './resuming-stream.ts';
import { connectionFailure, type CallOptions, type Transport } from './transport.ts';

export interface LogLine {
  /** A number, as text: it counts further than a number of JSON is exact. */
  readonly sequence: string;
  readonly at: string;
  readonly container: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface LogOptions extends CallOptions {
  /** Goes on with what comes. */
  readonly follow?: boolean | undefined;
  /** Of what there is, only the last lines. */
  readonly tail?: number | undefined;
  /** Only lines written after this instant. */
  readonly since?: string | Date | undefined;
  readonly container?: string | undefined;
}

export async function* logLines(
  transport: Transport,
  id: string,
  options: LogOptions = {},
): AsyncGenerator<LogLine, void, undefined> {
  const events = options.follow === true ? followed(transport, id, options) : kept(transport, id, options);
  for await (const { data } of events) yield JSON.parse(data) as LogLine;
}

function pathOf(id: string, options: LogOptions, resumed: boolean): string {
  const { follow, tail, since, container } = options;
  const instant = since instanceof Date ? since.toISOString() : since;
  // Whoever goes on after a line wants all that came since, not the last few of it.
  const wanted = { follow: follow === true ? 'true' : undefined, tail: resumed ? undefined : tail };
  return `/v1/actors/${segment(id)}/logs${queryString({ ...wanted, since: instant, container })}`;
}

async function* kept(transport: Transport, id: string, options: LogOptions) {
  const { signal } = options;
  const headers = { accept: 'text/event-stream' };
  const response = await transport.open({ method: 'GET', path: pathOf(id, options, false), headers, signal });
  if (response.body === null) return;
  try {
    yield* serverSentEvents(response.body);
  } catch (error) {
    throw connectionFailure(transport.baseUrl, error, signal);
  }
}

async function* followed(transport: Transport, id: string, options: LogOptions) {
  // An actor that is not there from the start is an error; one that is gone later is the end.
  await transport.json({ method: 'GET', path: `/v1/actors/${segment(id)}`, signal: options.signal });
  const path = (resumed: boolean): string => pathOf(id, options, resumed);
  try {
    yield* resumingEvents(transport, { path, signal: options.signal });
  } catch (error) {
    if (error instanceof DormouseApiError && error.code === 'actor-not-found') return;
    throw error;
  }
}
