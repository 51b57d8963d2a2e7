// @ts-check
/** The look of each state: a shape of its own beside its colour, so that colour alone never tells. */
import { make, makeSvg } from './dom.js';

/** @type {Readonly<Record<string, string>>} On a grid of 12. */
const shapes = {
  suspended: 'M9.800 7.600A4.600 4.600 0 1 1 5 1.600 3.700 3.700 0 0 0 9.800 7.600Z',
  resuming: 'M6 10V2.500M2.500 6 6 2.500 9.500 6',
  running: 'M3.500 2v8L10 6Z',
  pausing: 'M4 2.500v7M8 2.500v3',
  paused: 'M4 2.500v7M8 2.500v7',
  suspending: 'M6 2v7.500M2.500 6 6 9.500 9.500 6',
  failed: 'M6 1.500 11 10.500H1ZM6 5v2.200M6 8.900v.1',
  deleting: 'M2.500 2.500l7 7M9.500 2.500l-7 7',
  ready: 'M2 6.500 5 9.500 10 3',
  preparing: 'M6 10V2.500M2.500 6 6 2.500 9.500 6',
  draining: 'M6 2v7.500M2.500 6 6 9.500 9.500 6',
  lost: 'M6 1.500 11 10.500H1ZM6 5v2.200M6 8.900v.1',
};

/** @param {string} state */
export function stateBadge(state) {
  const shape = makeSvg('path', { d: shapes[state] ?? 'M2 6h8' });
  const icon = makeSvg('svg', { viewBox: '0 0 12 12', width: 12, height: 12, 'aria-hidden': 'true' }, shape);
  return make('span', { class: 'state', 'data-state': state }, icon, state);
}
