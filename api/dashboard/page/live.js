// @ts-check
/**
 * What changes, as it changes: GET /v1/events. When the stream is not to be had, or ends, the page looks again at intervals
 * and tries the stream anew, less and less often.
 */
import { problemFrom } from './api.js';
import { eventsIn, pause, readStream } from './event-stream.js';

/** @typedef {{kind: 'actor' | 'template' | 'node' | 'operation' | 'gap', id: string, state: string}} Change */
/** @typedef {'live' | 'polling' | 'connecting'} Liveness */

const firstPauseMs = 500;
/** While there is no stream the page is at most this far behind. */
const longestPauseMs = 10_000;
/** Hints may be lost on the way, so even with a stream the page looks now and then. */
export const lookAgainMs = 30_000;

/**
 * @param {{onChange: (change: Change) => void, onLiveness: (liveness: Liveness) => void, onLook: () => void}} handlers
 *   `onLook`: anything may have changed.
 */
export function followChanges({ onChange, onLiveness, onLook }) {
  let restart = new AbortController();
  let pauseMs = firstPauseMs;
  let wasLive = false;
  const read = async () => {
    const onOpen = () => {
      wasLive = true;
      onLiveness('live');
      onLook(); // what was missed since the last look
      pauseMs = firstPauseMs;
    };
    for await (const text of readStream('/v1/events', { signal: restart.signal, onOpen })) {
      for (const change of changesIn(text)) {
        if (change.kind === 'gap') onLook();
        else onChange(change);
      }
    }
  };
  const run = async () => {
    for (;;) {
      await read().catch(problemFrom);
      // One that merely broke off is back before anybody has read what the mark says.
      if (!wasLive) onLiveness('polling');
      wasLive = false;
      await pause(pauseMs, restart.signal);
      if (restart.signal.aborted) restart = new AbortController();
      else onLook();
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  };
  void run();
  window.setInterval(onLook, lookAgainMs);
  return {
    /** With another token, or because the network is back. */
    reconnect() {
      pauseMs = firstPauseMs;
      restart.abort();
    },
  };
}

/** @param {string} text @returns {Change[]} */
export const changesIn = (text) =>
  eventsIn(text).flatMap(({ data }) => {
    const change = changeOf(data);
    return change === undefined ? [] : [change];
  });

/**
 * @param {string} data `{kind, id, state}`; or `{type, to}` with the subject under the name of its type; or a `gap`.
 * @returns {Change | undefined}
 */
function changeOf(data) {
  try {
    const { kind, id, state, type, to, ...rest } = JSON.parse(data);
    if (type === 'gap') return { kind: 'gap', id: '', state: '' };
    const subject = typeof type === 'string' ? rest[type] : undefined;
    if (typeof subject === 'string')
      return { kind: /** @type {Change['kind']} */ (type), id: subject, state: String(to) };
    return typeof kind === 'string' && typeof id === 'string'
      ? { kind: /** @type {Change['kind']} */ (kind), id, state: String(state) }
      : undefined;
  } catch {
    return undefined; // not ours: a newer API says more than this page knows
  }
}
