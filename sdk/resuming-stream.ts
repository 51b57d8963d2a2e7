/**
 * A stream of server-sent events that goes on: when the connection breaks, or the api that served it stops, the next one
 * begins after the last event that was seen (`Last-Event-ID`). It gives up when several attempts in a row bring nothing,
 * with what the last one failed with; a refusal that no retry can help is thrown at once.
 */
import { serverSentEvents, type ServerSentEvent } from './event-stream.ts';
import { connectionFailure, type CallOptions, type Transport } from './transport.ts';
import { pause } from './polling.ts';
import { pauseBefore } from './retry.ts';

/** With the pauses between them half a minute or so: longer than an api takes to be replaced. */
const attemptsInVain = 8;

export interface StreamRequest extends CallOptions {
  readonly path: (resumed: boolean) => string;
  readonly after?: string | undefined;
}

/** Never returns by itself: leave the loop, or abort. */
export async function* resumingEvents(
  transport: Transport,
  request: StreamRequest,
): AsyncGenerator<ServerSentEvent, never, undefined> {
  let place = request.after;
  let failures = 0;
  for (;;) {
    try {
      for await (const event of eventsAfter(transport, request, place)) {
        failures = 0;
        place = event.id ?? place;
        // Only a place to go on from: nothing happened that is for the reader.
        if (event.data !== '') yield event;
      }
      failures++;
      await pause(pauseAfterEnd(failures), request.signal);
    } catch (error) {
      const pauseMs = failures < attemptsInVain ? pauseBefore(error, failures) : undefined;
      if (pauseMs === undefined) throw error;
      failures++;
      await pause(pauseMs, request.signal);
    }
  }
}

/** The stream ended in order: the api stops, or what was followed is gone. */
const pauseAfterEnd = (failures: number): number => Math.min(5000, 100 * 2 ** failures);

async function* eventsAfter(
  transport: Transport,
  { path, signal }: StreamRequest,
  place: string | undefined,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const headers = { accept: 'text/event-stream', ...(place !== undefined && { 'last-event-id': place }) };
  const response = await transport.open({ method: 'GET', path: path(place !== undefined), headers, signal });
  if (response.body === null) return;
  try {
    yield* serverSentEvents(response.body);
  } catch (error) {
    throw connectionFailure(transport.baseUrl, error, signal);
  }
}
