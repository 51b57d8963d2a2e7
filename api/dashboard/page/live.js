// @ts-check
/**
 * What changes, as it changes: GET /v1/events read as a stream (an EventSource could not send the token). When the stream
 * is not to be had, or ends, the page looks again at intervals and tries the stream anew, less and less often.
 */
import { call, problemFrom } from './api.js';

/** @typedef {{kind: 'actor' | 'template' | 'node' | 'operation' | 'gap', id: string, state: string}} Change */
/** @typedef {'live' | 'polling' | 'connecting'} Liveness */

const firstPauseMs = 500;
/** While there is no stream the page is at most this far behind. */
const longestPauseMs = 10_000;
/** Hints may be lost on the way, so even with a stream the page looks now and then. */
export const lookAgainMs = 30_000;
/** The API sends something this often at least, with room for a busy machine; a stream that is silent longer is dead. */
const silenceMs = 45_000;

/**
 * @param {{onChange: (change: Change) => void, onLiveness: (liveness: Liveness) => void, onLook: () => void}} handlers
 *   `onLook`: anything may have changed.
 */
export function followChanges({ onChange, onLiveness, onLook }) {
  let restart = new AbortController();
  let pauseMs = firstPauseMs;
  let wasLive = false;
  const read = async () => {
    const silence = new AbortController();
    const signal = AbortSignal.any([silence.signal, restart.signal]);
    let timer = window.setTimeout(() => silence.abort(), silenceMs);
    try {
      const response = await call('/v1/events', { headers: { accept: 'text/event-stream' }, signal, endless: true });
      wasLive = true;
      onLiveness('live');
      onLook(); // what was missed since the last look
      pauseMs = firstPauseMs;
      for await (const text of textOf(response)) {
        window.clearTimeout(timer);
        timer = window.setTimeout(() => silence.abort(), silenceMs);
        for (const change of changesIn(text)) {
          if (change.kind === 'gap') onLook();
          else onChange(change);
        }
      }
    } finally {
      window.clearTimeout(timer);
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

/** @param {Response} response Whole events, however they were cut on the way. */
async function* textOf(response) {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    rest += piece.value.replaceAll('\r\n', '\n');
    const end = rest.lastIndexOf('\n\n') + 2;
    if (end === 1) yield '';
    else yield rest.slice(0, end);
    rest = end === 1 ? rest : rest.slice(end);
  }
}

/** @param {string} text @returns {Change[]} */
export function changesIn(text) {
  return text.split('\n\n').flatMap((event) => {
    const data = event
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trimStart())
      .join('\n');
    const change = data === '' ? undefined : changeOf(data);
    return change === undefined ? [] : [change];
  });
}

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

/** @param {number} ms @param {AbortSignal} signal */
const pause = (ms, signal) =>
  /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      const timer = window.setTimeout(resolve, ms);
      signal.addEventListener('abort', () => (window.clearTimeout(timer), resolve()), { once: true });
    })
  );
