// @ts-check
/**
 * A start or a sleep, phase by phase. The platform says how long each phase took, not when it began, and phases may
 * overlap: they are laid out in their usual order, one behind the other, and none beyond the end of the whole.
 */
import { make } from './dom.js';
import { formatMs } from './format.js';

/** As docs/architecture.md lists them. */
const usualOrder = [
  'queue',
  'fetch',
  'images',
  'network',
  'lower',
  'vmm',
  'memory',
  'load',
  'boot',
  'containers',
  'guest',
  'app',
];
/** Of the whole, so that the shortest phase is still seen. */
const leastWidth = 0.006;

/** @param {Readonly<Record<string, number>>} phases */
export function waterfall(phases) {
  const named = Object.entries(phases).filter(([name]) => name !== 'total');
  const place = (/** @type {string} */ name) =>
    usualOrder.includes(name) ? usualOrder.indexOf(name) : usualOrder.length;
  named.sort(([a], [b]) => place(a) - place(b));
  const sumMs = named.reduce((sum, [, ms]) => sum + ms, 0);
  const totalMs = Math.max(phases['total'] ?? sumMs, ...named.map(([, ms]) => ms), 0.01);
  let beganMs = 0;
  const rows = named.map(([name, ms]) => {
    const from = Math.max(0, Math.min(beganMs, totalMs - ms));
    beganMs += ms;
    return phaseRow(name, ms, from / totalMs, ms / totalMs);
  });
  const overlap = sumMs > totalMs * 1.02;
  return make(
    'table',
    { class: 'waterfall' },
    make('caption', {}, `Total ${formatMs(totalMs)}${overlap ? '; phases overlap' : ''}`),
    make(
      'thead',
      { class: 'unseen' },
      make('tr', {}, ...['Phase', 'Share', 'Time'].map((title) => make('th', { scope: 'col' }, title))),
    ),
    make('tbody', {}, ...rows),
  );
}

/** @param {string} name @param {number} ms @param {number} from @param {number} width Both of 1. */
function phaseRow(name, ms, from, width) {
  const bar = make('span', { class: 'bar' });
  const seen = Math.max(leastWidth, width);
  bar.style.left = `${Math.min(from, 1 - seen) * 100}%`;
  bar.style.width = `${seen * 100}%`;
  const share = make('td', { class: 'track' }, bar);
  return make('tr', {}, make('th', { scope: 'row' }, name), share, make('td', { class: 'number' }, formatMs(ms)));
}
