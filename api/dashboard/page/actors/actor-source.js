// @ts-check
/**
 * The actors that pass a filter, in order of ids, as far as they have been scrolled to: page by page behind the last id
 * known (keyset paging), so that a list of any length costs what is looked at. What is in sight is asked for again when
 * something in it has changed.
 */
import { callJson } from '../api.js';

/** @import { ActorView } from '../../../schemas/actor.ts' */
/** @typedef {{prefix?: string | undefined, state?: string | undefined, template?: string | undefined, label?: string | undefined}} Filter */
/** @typedef {{items: ActorView[], nextCursor?: string}} Page */

/** A few screens: enough to scroll on while the next one comes. */
const pageSize = 200;
/** The most that the API gives at once. */
const largestPage = 500;

/** @param {{onUpdate: () => void, onProblem: (error: unknown) => void}} listener */
export function createActorSource({ onUpdate, onProblem }) {
  /** @type {ActorView[]} */
  let items = [];
  /** @type {Filter} */
  let filter = {};
  /** @type {string | undefined} */
  let cursor;
  let complete = false;
  let loading = false;
  let stale = false;
  /** Then it is asked for again on a look or by hand, not over and over. */
  let failed = false;
  let asking = new AbortController();

  /** @param {number} limit @param {string | undefined} after */
  const ask = (limit, after) => {
    const query = new URLSearchParams({ limit: String(limit) });
    if (after !== undefined) query.set('cursor', after);
    for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
    return /** @type {Promise<Page>} */ (callJson(`/v1/actors?${query}`, { signal: asking.signal }));
  };

  /** @param {() => Promise<void>} work Errors of an earlier filter are nobody's. */
  const attempt = async (work) => {
    const { signal } = asking;
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      failed = true;
      onProblem(error);
    }
  };

  const loadMore = async () => {
    if (loading || complete || failed) return;
    loading = true;
    const { signal } = asking;
    await attempt(async () => {
      const page = await ask(pageSize, cursor);
      if (signal.aborted) return;
      items = [...items, ...page.items];
      cursor = page.nextCursor;
      complete = cursor === undefined;
    });
    if (signal.aborted) return;
    loading = false;
    onUpdate();
  };

  /** @param {number} start @param {number} end Positions in sight, the last one included. */
  const refresh = async (start, end) => {
    if (loading) return;
    const { signal } = asking;
    stale = failed = false;
    const before = items.slice(0, start);
    await attempt(async () => {
      const wanted = items.length === 0 ? pageSize : Math.min(largestPage, Math.max(1, end - start + 1));
      const page = await ask(wanted, before.at(-1)?.id);
      if (signal.aborted) return;
      const last = page.items.at(-1)?.id;
      const behind = page.nextCursor === undefined ? [] : items.filter(({ id }) => last !== undefined && id > last);
      items = [...before, ...page.items, ...behind];
      if (behind.length === 0) {
        cursor = page.nextCursor;
        complete = cursor === undefined;
      }
    });
    if (!signal.aborted) onUpdate();
  };

  return {
    get items() {
      return items;
    },
    get complete() {
      return complete;
    },
    get loading() {
      return loading;
    },
    get stale() {
      return stale;
    },
    loadMore,
    refresh,
    /** @param {Filter} next */
    async filterBy(next) {
      asking.abort();
      asking = new AbortController();
      filter = next;
      items = [];
      cursor = undefined;
      complete = false;
      loading = failed = false;
      await loadMore();
    },
    /** @param {string} id @param {string} state What is known at once; the rest when it is in sight. */
    note(id, state) {
      stale = true;
      const position = positionOf(items, id);
      const found = items[position];
      if (found === undefined || found.id !== id) return;
      const leaves = state === 'gone' || (filter.state !== undefined && filter.state !== '' && filter.state !== state);
      if (leaves) items.splice(position, 1);
      else items[position] = { ...found, state: /** @type {ActorView['state']} */ (state) };
    },
    /** @param {string | undefined} id @returns {number} -1: not among those loaded. */
    indexOf(id) {
      if (id === undefined) return -1;
      const position = positionOf(items, id);
      return items[position]?.id === id ? position : -1;
    },
  };
}

/** @param {readonly {id: string}[]} items In order of ids. @param {string} id @returns {number} Where it is, or would be. */
export function positionOf(items, id) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.id ?? '') < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
