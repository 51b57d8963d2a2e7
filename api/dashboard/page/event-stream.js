// @ts-check
/**
 * A stream of server-sent events, read with `fetch` (an EventSource could not send the token). It is endless: what ends it is
 * its signal, the API, or silence. Whoever reads begins anew after a pause.
 */
import { call } from './api.js';

/** @typedef {{id: string, data: string}} StreamEvent */

/** The API sends something this often at least, with room for a busy machine; a stream that is silent longer is dead. */
const silenceMs = 45_000;

/**
 * @param {string} path
 * @param {{signal: AbortSignal, headers?: Record<string, string>, onOpen?: () => void}} options
 * @returns {AsyncGenerator<string>} Whole events, as many at once as arrived; see `eventsIn`.
 */
export async function* readStream(path, { signal, headers = {}, onOpen }) {
  const silence = new AbortController();
  const end = AbortSignal.any([silence.signal, signal]);
  let timer = window.setTimeout(() => silence.abort(), silenceMs);
  try {
    const accept = { accept: 'text/event-stream', ...headers };
    const response = await call(path, { headers: accept, signal: end, endless: true });
    onOpen?.();
    for await (const text of textOf(response)) {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => silence.abort(), silenceMs);
      yield text;
    }
  } finally {
    window.clearTimeout(timer);
  }
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

/** @param {string} text @returns {StreamEvent[]} */
export const eventsIn = (text) =>
  text.split('\n\n').flatMap((event) => {
    const lines = event.split('\n');
    /** @param {string} name */
    const field = (name) =>
      lines
        .filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trimStart())
        .join('\n');
    const data = field('data');
    return data === '' ? [] : [{ id: field('id'), data }];
  });

/** @param {number} ms @param {AbortSignal} signal Ends at once with it. */
export const pause = (ms, signal) =>
  /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      const timer = window.setTimeout(resolve, ms);
      signal.addEventListener('abort', () => (window.clearTimeout(timer), resolve()), { once: true });
    })
  );
