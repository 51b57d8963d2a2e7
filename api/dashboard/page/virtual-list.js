// @ts-check
/**
 * A list of which only the rows in sight (and a few more) exist. One stop for the Tab key; inside it the arrow keys, Page
 * Up and Down, Home and End move, Enter opens. Screen readers hear the position and the size.
 */
import { make } from './dom.js';

/** Rows kept ready on either side, so that a quick scroll shows no gap. */
const spareRows = 6;

/**
 * @template {{id: string}} Item
 * @param {object} parts
 * @param {string} parts.label
 * @param {() => readonly Item[]} parts.items
 * @param {() => boolean} parts.complete Whether there are no more than these.
 * @param {(row: HTMLElement, item: Item) => void} parts.draw
 * @param {(item: Item) => void} parts.onOpen
 * @param {(start: number, end: number) => void} parts.onWindow What is in sight.
 */
export function createVirtualList({ label, items, complete, draw, onOpen, onWindow }) {
  const spacer = make('div', { class: 'spacer', role: 'presentation' });
  const element = make('div', { class: 'scroller', role: 'listbox', tabindex: 0, 'aria-label': label }, spacer);
  /** @type {Map<number, {row: HTMLElement, item: Item | undefined}>} */
  const rows = new Map();
  /** @type {string | undefined} */
  let activeId;
  let frame = 0;
  let rowHeight = 40;

  const indexOfActive = () => items().findIndex(({ id }) => id === activeId);
  const inSight = () => {
    const first = Math.floor(element.scrollTop / rowHeight);
    const last = Math.ceil((element.scrollTop + element.clientHeight) / rowHeight) - 1;
    return { first: Math.max(0, Math.min(first, items().length - 1)), last: Math.min(items().length - 1, last) };
  };

  /** @param {number} index @param {Item} item */
  const drawRow = (index, item) => {
    const held = rows.get(index) ?? { row: makeRow(index), item: undefined };
    rows.set(index, held);
    const { row } = held;
    row.setAttribute('aria-setsize', String(complete() ? items().length : -1));
    row.setAttribute('aria-selected', String(item.id === activeId));
    if (held.item === item) return;
    held.item = item;
    draw(row, item);
  };

  /** @param {number} index */
  const makeRow = (index) => {
    const row = make('div', { class: 'row-of-list', role: 'option', id: `row-${index}`, 'aria-posinset': index + 1 });
    row.style.transform = `translateY(${index * rowHeight}px)`;
    row.addEventListener('click', () => openAt(index));
    spacer.append(row);
    return row;
  };

  const render = () => {
    frame = 0;
    const height = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row-height')) || 40;
    if (height !== rowHeight) {
      rowHeight = height;
      forget(() => true);
    }
    const list = items();
    spacer.style.height = `${list.length * rowHeight}px`;
    const { first, last } = inSight();
    const from = Math.max(0, first - spareRows);
    const to = Math.min(list.length - 1, last + spareRows);
    forget((index) => index < from || index > to);
    for (let index = from; index <= to; index++) drawRow(index, /** @type {Item} */ (list[index]));
    const active = indexOfActive();
    if (active >= from && active <= to) element.setAttribute('aria-activedescendant', `row-${active}`);
    else element.removeAttribute('aria-activedescendant');
    onWindow(Math.max(0, first), Math.max(0, last));
  };

  /** @param {(index: number) => boolean} goes */
  const forget = (goes) => {
    for (const [index, { row }] of rows) {
      if (!goes(index)) continue;
      row.remove();
      rows.delete(index);
    }
  };

  const update = () => {
    if (frame === 0) frame = requestAnimationFrame(render);
  };

  /** @param {number} index */
  const moveTo = (index) => {
    const item = items()[Math.max(0, Math.min(items().length - 1, index))];
    if (item === undefined) return;
    activeId = item.id;
    const top = indexOfActive() * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowHeight - element.clientHeight;
    }
    update();
  };

  /** @param {number} index */
  const openAt = (index) => {
    const item = items()[index];
    if (item === undefined) return;
    activeId = item.id;
    update();
    onOpen(item);
  };

  /** @type {Readonly<Record<string, (now: number, page: number) => void>>} */
  const keys = {
    ArrowDown: (now) => moveTo(now + 1),
    ArrowUp: (now) => moveTo(now - 1),
    PageDown: (now, page) => moveTo(now + page),
    PageUp: (now, page) => moveTo(now - page),
    Home: () => moveTo(0),
    End: () => moveTo(items().length - 1),
    Enter: (now) => openAt(now),
    ' ': (now) => openAt(now),
  };
  element.addEventListener('keydown', (event) => {
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(indexOfActive(), Math.max(1, Math.floor(element.clientHeight / rowHeight) - 1));
  });
  element.addEventListener('focus', () => activeId === undefined && moveTo(0));
  element.addEventListener('scroll', update, { passive: true });
  new ResizeObserver(update).observe(element);

  return {
    element,
    update,
    /** Draws every row anew: the time has passed. */
    redraw() {
      for (const held of rows.values()) held.item = undefined;
      update();
    },
    toTop() {
      element.scrollTop = 0;
      activeId = undefined;
      update();
    },
    /** @param {string | undefined} id */
    select(id) {
      activeId = id ?? activeId;
      update();
    },
    focus: () => element.focus(),
  };
}
