// @ts-check
/**
 * The newest lines of a log, as text and nothing else: whatever a program wrote can neither become markup nor move anything.
 * It follows the end until somebody holds it, with the button or by scrolling up; what comes meanwhile waits, up to the same bound.
 */
import { fill, make } from '../dom.js';
import { formatInstant } from '../format.js';

/** @typedef {{at: string, container: string, stream: 'stdout' | 'stderr', text: string}} LogLine */

/** A few screens of history; more would make the page slow, and `dormouse logs` has it. */
const mostLines = 2000;
/** A line that is half out of sight still counts as the end. */
const endPx = 24;

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
// Colours and the like, then whatever else would not be seen; a tab may stand.
// eslint-disable-next-line no-control-regex -- control characters are what this looks for
const controls = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;

/** @param {{onHold: (held: boolean, waiting: number) => void}} parts */
export function createLogLines({ onHold }) {
  const element = make('div', {
    class: 'log',
    role: 'log',
    'aria-live': 'off',
    tabindex: 0,
    'aria-label': 'Log lines',
  });
  /** @type {LogLine[]} */
  let waiting = [];
  let held = false;

  const toEnd = () => void (element.scrollTop = element.scrollHeight);
  const atEnd = () => element.scrollHeight - element.scrollTop - element.clientHeight < endPx;
  /** @param {readonly LogLine[]} lines */
  const draw = (lines) => {
    const fresh = lines.slice(-mostLines);
    for (let over = element.childElementCount + fresh.length - mostLines; over > 0; over--)
      element.firstChild?.remove();
    element.append(...fresh.map(lineElement));
    toEnd();
  };
  /** @param {boolean} next */
  const hold = (next) => {
    if (held === next) return;
    held = next;
    if (!held) draw(waiting.splice(0));
    onHold(held, waiting.length);
  };
  element.addEventListener('scroll', () => held || atEnd() || hold(true), { passive: true });

  return {
    element,
    hold,
    /** It is in sight again; out of sight it may have lost its place. */
    onSight: () => held || toEnd(),
    /** @param {readonly LogLine[]} lines */
    add(lines) {
      if (!held) return draw(lines);
      waiting = [...waiting, ...lines].slice(-mostLines);
      onHold(held, waiting.length);
    },
    clear() {
      waiting = [];
      fill(element);
      onHold(held, 0);
    },
    /** @param {boolean} wraps */
    wrap(wraps) {
      element.classList.toggle('wraps', wraps);
      if (!held) toEnd();
    },
    /** @param {boolean} many Whether to say which container each line is of. */
    nameContainers: (many) => element.classList.toggle('many', many),
  };
}

/** @param {LogLine} line */
function lineElement({ at, container, stream, text }) {
  return make(
    'div',
    { class: 'log-line', 'data-stream': stream },
    make('span', { class: 'log-at', title: formatInstant(at) }, clock.format(new Date(at))),
    make('span', { class: 'log-of', title: container }, container),
    stream === 'stderr' && make('span', { class: 'unseen' }, 'standard error: '),
    make('span', { class: 'log-text' }, text.replace(controls, '')),
  );
}
