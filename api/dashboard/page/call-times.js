// @ts-check
/** How long callers waited for the first byte, by kind of start, out of the text of /metrics of this api process. */
import { call } from './api.js';
import { endsMs } from './histogram.js';

/** @import { StartKind } from './histogram.js' */
/** @typedef {Readonly<Record<StartKind, readonly number[]>>} CallTimes Counts, one for each of `endsMs`. */

const bucket = /^dormouse_call_seconds_bucket\{([^}]*)\} (\S+)/gm;

/** @param {AbortSignal} signal @returns {Promise<CallTimes | undefined>} Undefined: this api counts nothing. */
export async function readCallTimes(signal) {
  if (document.querySelector('meta[name="dormouse-metrics"]')?.getAttribute('content') !== 'yes') return undefined;
  return callTimesIn(await (await call('/metrics', { signal })).text());
}

/** @param {string} text @returns {CallTimes} */
export function callTimesIn(text) {
  /** @type {Map<string, number>} By kind and end: the calls that took no longer. */
  const upTo = new Map();
  for (const [, labels = '', value] of text.matchAll(bucket)) {
    const kind = /start="(\w+)"/.exec(labels)?.[1];
    const end = /le="([^"]+)"/.exec(labels)?.[1];
    upTo.set(`${kind} ${end === '+Inf' ? Infinity : Number(end) * 1000}`, Number(value));
  }
  const of = (/** @type {string} */ kind) => {
    const cumulative = endsMs.map((end) => upTo.get(`${kind} ${end}`) ?? 0);
    return cumulative.map((count, index) => Math.max(0, count - (cumulative[index - 1] ?? 0)));
  };
  return { cold: of('cold'), warm: of('warm'), hot: of('hot') };
}
