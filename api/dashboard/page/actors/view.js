// @ts-check
/** Actors: the list, and beside it (on a phone: over it) the one that is looked at. */
import { problemFrom } from '../api.js';
import { fill, make, setText } from '../dom.js';
import { formatAgo, formatCount, formatInstant } from '../format.js';
import { emptyState, problemNotice } from '../notice.js';
import { addressOf, currentPlace, go, replaceAddress } from '../route.js';
import { stateBadge } from '../states.js';
import { createVirtualList } from '../virtual-list.js';
import { createActorSource } from './actor-source.js';
import { createDetail } from './detail.js';
import { tokenOption } from '../token-store.js';
import { createFilterBar } from './filter-bar.js';

/** @import { ActorView } from '../../../schemas/actor.ts' */
/** @import { Change } from '../live.js' */
/** @import { Filter } from './actor-source.js' */

/** As often as a list that changes all the time is asked for anew. */
const refreshMs = 500;
/** "3 s ago" need not be right to the second. */
const redrawMs = 10_000;
/** Ask for the next page when so few rows are left below. */
const aheadRows = 100;

/** Where room is short the middle of an id goes: its end tells it from its neighbours. */
const longIdLength = 20;
const idTailLength = 8;

/** @param {(words: string) => void} announce */
export function createActorsView(announce) {
  /** @type {Filter} */
  let filter = {};
  let asked = '';
  let sight = { start: 0, end: 0 };
  let refreshTimer = 0;
  const source = createActorSource({ onUpdate: () => showList(), onProblem: (error) => showProblem(error) });
  const count = make('p', { class: 'count muted small', role: 'status' });
  const instead = make('div', { class: 'instead', hidden: true });
  const heading = make('h1', { class: 'unseen' }, 'Actors');
  const filters = createFilterBar((next) => {
    apply(next);
    replaceAddress(addressOf('actors', { id: currentPlace().id, query: queryOf(next) }));
  });
  const list = createVirtualList({
    label: 'Actors',
    items: () => source.items,
    complete: () => source.complete,
    draw: drawActor,
    onOpen: ({ id }) => go(addressOf('actors', { id, query: queryOf(filter) })),
    onWindow: (start, end) => {
      const moved = sight.start !== start || sight.end !== end;
      sight = { start, end };
      if (source.items.length - end < aheadRows && !source.complete) void source.loadMore();
      if (moved && source.stale) refreshSoon();
    },
  });
  const detail = createDetail({ announce, onClose: () => close() });
  const columns = make(
    'div',
    { class: 'list-heading', 'aria-hidden': 'true' },
    ...['State', 'Id', 'Template', 'Node', 'Gen.', 'Since'].map((name) => make('span', {}, name)),
  );
  const listPane = make(
    'section',
    { class: 'pane list-pane', 'aria-label': 'List of actors' },
    heading,
    filters.element,
    count,
    columns,
    list.element,
    instead,
  );
  const element = make('div', { class: 'actors' }, listPane, detail.element);

  let returning = false;
  const close = () => {
    returning = true;
    go(addressOf('actors', { query: queryOf(filter) }));
  };
  /** @param {Filter} next */
  const apply = (next) => {
    filter = next;
    asked = queryOf(next).toString();
    list.toTop();
    void source.filterBy(next);
    showList();
  };
  const refreshSoon = () => {
    if (refreshTimer !== 0) return;
    refreshTimer = window.setTimeout(() => {
      refreshTimer = 0;
      if (element.isConnected) void source.refresh(sight.start, sight.end);
    }, refreshMs);
  };
  const showList = () => {
    const { items, complete, loading } = source;
    const none = items.length === 0;
    setText(count, countWords(items.length, complete, loading));
    list.element.hidden = none && !loading;
    columns.hidden = list.element.hidden;
    instead.hidden = !list.element.hidden;
    if (none && complete) fill(instead, Object.values(filter).some(Boolean) ? nothingFound() : noActors());
    list.update();
  };
  /** @param {unknown} error What is in the list stays; the banner tells of an API that is away. */
  const showProblem = (error) => {
    if (source.items.length > 0 || problemFrom(error).code === 'unreachable') return;
    list.element.hidden = columns.hidden = true;
    setText(count, '');
    instead.hidden = false;
    fill(
      instead,
      problemNotice(error, () => apply(filter)),
    );
  };
  window.setInterval(() => element.isConnected && list.redraw(), redrawMs);

  return {
    element,
    /** @param {import('../route.js').Place} place */
    show({ id, query }) {
      const next = filterOf(query);
      const key = queryOf(next).toString();
      filters.show(next);
      if (key !== asked || source.items.length === 0) apply(next);
      void filters.loadTemplates().catch(problemFrom);
      element.classList.toggle('with-detail', id !== undefined);
      list.select(id);
      detail.show(id);
      if (returning) list.focus(); // not before: on a phone it was not to be seen
      returning = false;
    },
    /** @param {Change} change */
    onChange({ kind, id, state }) {
      if (kind !== 'actor') return;
      source.note(id, state);
      list.update();
      if (inReach(source, sight, id)) refreshSoon();
      detail.onChange(id);
    },
    onLook() {
      refreshSoon();
      detail.refresh();
    },
    search: () => filters.focus(),
    /** @returns {boolean} Whether there was something to leave. */
    escape() {
      if (currentPlace().id === undefined) return false;
      close();
      return true;
    },
  };
}

/**
 * Whether a change shows, or would: between the rows in sight, or behind the last one of a list that is complete.
 * @param {{items: readonly ActorView[], complete: boolean}} source @param {{start: number, end: number}} sight @param {string} id
 */
function inReach({ items, complete }, { start, end }, id) {
  const first = start === 0 ? '' : (items[start]?.id ?? '');
  const last = items[end]?.id;
  return id >= first && (last === undefined || id <= last || (complete && end >= items.length - 1));
}

/** @param {HTMLElement} row @param {ActorView} actor */
function drawActor(row, { id, state, template, node, generation, since }) {
  const [head, tail] = id.length > longIdLength ? [id.slice(0, -idTailLength), id.slice(-idTailLength)] : [id, ''];
  fill(
    row,
    stateBadge(state),
    make(
      'span',
      { class: 'id', title: id },
      make('span', { class: 'id-head' }, head),
      make('span', { class: 'id-tail' }, tail),
    ),
    make('span', { class: 'of-template', title: template }, template),
    make('span', { class: 'of-node' }, node ?? '–'),
    make('span', { class: 'number of-generation' }, generation),
    make('span', { class: 'number since', title: formatInstant(since) }, formatAgo(since)),
  );
}

/** @param {number} loaded @param {boolean} complete @param {boolean} loading */
function countWords(loaded, complete, loading) {
  if (loaded === 0) return loading ? 'Looking …' : '';
  return `${formatCount(loaded)}${complete ? '' : '+'} ${loaded === 1 && complete ? 'actor' : 'actors'}${complete ? '' : ', more as you scroll'}`;
}

const noActors = () =>
  emptyState(
    'No actors yet',
    'An actor is a named program that sleeps until it is called. Create one from a template: nothing boots until its first call.',
    `curl${tokenOption()} ${location.origin}/v1/actors -H 'content-type: application/json' -d '{"id":"alice","template":"counter"}'`,
  );
const nothingFound = () =>
  emptyState('Nothing matches', 'No actor passes these filters. Ids are matched from their beginning.');

const names = /** @type {const} */ (['prefix', 'state', 'template', 'label']);

/** @param {URLSearchParams} query @returns {Filter} */
const filterOf = (query) => Object.fromEntries(names.map((name) => [name, query.get(name) ?? undefined]));

/** @param {Filter} filter */
const queryOf = (filter) => new URLSearchParams(names.flatMap((name) => (filter[name] ? [[name, filter[name]]] : [])));
