// @ts-check
/** Numbers and instants, for people. */

const count = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const instant = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** @param {number} value */
export const formatCount = (value) => count.format(value);

/** @param {number} bytes Powers of 1024, three digits at most. */
export function formatBytes(bytes) {
  let value = bytes;
  let unit = 0;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${threeDigits(value)} ${units[unit]}`;
}

/** @param {number} ms */
export function formatMs(ms) {
  if (ms < 1000) return `${threeDigits(ms)} ms`;
  if (ms < 120_000) return `${threeDigits(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** @param {string} at */
export const formatAgo = (at) => {
  const ms = Date.now() - Date.parse(at);
  return ms < 1000 ? 'just now' : `${formatMs(Math.floor(ms / 1000) * 1000)} ago`;
};

/** @param {string} at */
export const formatInstant = (at) => instant.format(new Date(at));

/** Instants and milliseconds inside a sentence of the API. @param {string} sentence */
export const forPeople = (sentence) =>
  sentence
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (at) => formatInstant(at))
    .replace(/\b(\d+) ms\b/g, (_, ms) => formatMs(Number(ms)));

/** @param {string} text A digest: what tells it from others. */
export const shorten = (text) => text.replace(/^sha256:/, '').slice(0, 12);

/** @param {number} value */
const threeDigits = (value) =>
  value >= 100 || Number.isInteger(value) ? count.format(value) : String(Number(value.toPrecision(value < 1 ? 2 : 3)));
