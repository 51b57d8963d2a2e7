// @ts-check
/**
 * One actor: its state and why, what happens next, what can be done, its wakes, log, generations and events. Asked for again
 * whenever a change of it is heard, one time after the other, never twice at once.
 */
import { callJson, problemFrom } from '../api.js';
import { fill, make, setText } from '../dom.js';
import { forPeople, formatAgo, formatBytes, formatInstant, formatMs, shorten } from '../format.js';
import { emptyState, problemNotice } from '../notice.js';
import { stateBadge } from '../states.js';
import { createActions } from './actions.js';
import { eventList, generationTable } from './history.js';
import { createLogs } from './logs.js';
import { createWakes } from './wakes.js';

/** @import { ActorView } from '../../../schemas/actor.ts' */
/** @typedef {import('zod').infer<typeof import('../../../schemas/actor.ts').explanationView>} Explanation */
/** @typedef {import('zod').infer<typeof import('../../../schemas/actor.ts').generationView>} Generation */

/** A transition is several changes in quick succession. */
const settleMs = 150;

/** @param {{announce: (words: string) => void, onClose: () => void}} parts */
export function createDetail({ announce, onClose }) {
  /** @type {string | undefined} */
  let shown;
  /** @type {string | undefined} */
  let lastState;
  let asking = new AbortController();
  let busy = false;
  let again = false;
  let timer = 0;
  const state = make('div', { class: 'detail-state' });
  const title = make('h2', { class: 'detail-id', tabindex: -1 });
  const about = make('p', { class: 'muted small detail-about' });
  const closing = make(
    'button',
    { type: 'button', class: 'quiet close', 'aria-label': 'Close (Escape)', title: 'Close (Escape)', onclick: onClose },
    '✕',
  );
  const problem = make('div', {});
  const why = make('div', { class: 'why' });
  const facts = make('dl', { class: 'facts' });
  const generations = make('div', {});
  const events = make('div', {});
  const wakes = createWakes();
  const logs = createLogs();
  const actions = createActions({ announce, onChanged: () => refreshSoon() });
  const body = make(
    'div',
    { class: 'detail-body' },
    actions.element,
    section('Why, and what next', why),
    section('Facts', facts),
    section('Wakes', wakes.element),
    section('Log', logs.element),
    section('Generations', generations),
    section('Events', events),
  );
  const element = make(
    'section',
    { class: 'pane detail', 'aria-label': 'Actor', hidden: true },
    make('div', { class: 'detail-head' }, make('div', {}, state, title, about), closing),
    problem,
    body,
  );

  const refresh = async () => {
    if (shown === undefined) return;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    const { signal } = asking;
    await load(shown, signal).catch((/** @type {unknown} */ error) => signal.aborted || showProblem(error));
    if (signal.aborted) return;
    busy = false;
    if (again) {
      again = false;
      refreshSoon();
    }
  };
  const refreshSoon = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void refresh(), settleMs);
  };

  /** @param {string} id @param {AbortSignal} signal */
  const load = async (id, signal) => {
    const path = `/v1/actors/${encodeURIComponent(id)}`;
    const [actor, explanation] = await Promise.all([
      /** @type {Promise<ActorView>} */ (callJson(path, { signal })),
      /** @type {Promise<Explanation>} */ (callJson(`${path}/explain`, { signal })),
    ]);
    if (signal.aborted) return;
    showActor(actor, explanation);
    const { items } = await /** @type {Promise<{items: Generation[]}>} */ (callJson(`${path}/generations`, { signal }));
    if (!signal.aborted) fill(generations, generationTable(items));
  };

  /** @param {ActorView} actor @param {Explanation} explanation */
  const showActor = (actor, explanation) => {
    fill(problem);
    body.hidden = false;
    fill(
      state,
      stateBadge(actor.state),
      make('span', { class: 'muted small', title: formatInstant(actor.since) }, formatAgo(actor.since)),
    );
    fill(about, ...aboutWords(actor));
    actions.show(actor);
    fill(why, ...whyWords(explanation));
    fill(facts, ...factList(actor));
    wakes.show(actor);
    logs.show(actor);
    fill(events, eventList(explanation.events));
    if (lastState !== undefined && lastState !== actor.state) announce(`${actor.id} is ${actor.state}`);
    lastState = actor.state;
  };

  /** @param {unknown} error */
  const showProblem = (error) => {
    const { code } = problemFrom(error);
    if (code === 'unreachable' && lastState !== undefined) return; // the banner tells; what was known stays
    const gone = code === 'actor-not-found';
    if (gone && lastState !== undefined) announce(`${shown} is gone`);
    body.hidden = true;
    fill(state);
    fill(about);
    fill(
      problem,
      gone
        ? emptyState('There is no such actor', 'It was deleted, or never created. Escape leads back to the list.')
        : problemNotice(error, refreshSoon),
    );
  };

  return {
    element,
    /** @param {string | undefined} id */
    show(id) {
      if (id === shown) return;
      asking.abort();
      asking = new AbortController();
      shown = id;
      lastState = undefined;
      busy = again = false;
      element.hidden = id === undefined;
      logs.of(id ?? '');
      if (id === undefined) return;
      setText(title, id);
      for (const part of [state, about, problem, why, facts, generations, events]) fill(part);
      body.hidden = true;
      actions.of(id);
      wakes.of(id);
      element.scrollTop = 0;
      title.focus({ preventScroll: true });
      void refresh();
    },
    /** @param {string} id */
    onChange(id) {
      if (id !== shown) return;
      refreshSoon();
      actions.look();
    },
    refresh: () => refreshSoon(),
  };
}

/** @param {string} title @param {HTMLElement} content */
const section = (title, content) => make('section', { class: 'block' }, make('h3', {}, title), content);

/** @param {ActorView} actor */
const aboutWords = ({ template, revision, labels }) => [
  make('a', { href: `#/actors?template=${encodeURIComponent(template)}`, title: `Actors of ${template}` }, template),
  make('span', { title: `Revision ${revision}` }, ` · ${shorten(revision)} `),
  ...Object.entries(labels).map(([name, value]) =>
    make('a', { class: 'chip', href: `#/actors?label=${encodeURIComponent(`${name}=${value}`)}` }, `${name}=${value}`),
  ),
];

/** @param {Explanation} explanation */
const whyWords = ({ reason, waitsFor, until, then, lastError }) => [
  make(
    'dl',
    { class: 'story' },
    ...pair('Because', forPeople(reason)),
    ...pair('Waits for', forPeople(waitsFor)),
    ...(until === undefined ? [] : pair('Until', `${formatInstant(until)} (${timeTo(until)})`)),
    ...pair('Then', forPeople(then)),
  ),
  lastError !== undefined &&
    make(
      'div',
      { class: 'notice' },
      make(
        'p',
        {},
        make('code', { class: 'code' }, lastError.code),
        ' ',
        lastError.message,
        make('span', { class: 'small', title: formatInstant(lastError.at) }, ` (${formatAgo(lastError.at)})`),
      ),
      make(
        'p',
        { class: 'muted small' },
        make('a', { href: `errors/${lastError.code}`, target: '_blank', rel: 'noreferrer' }, 'What this code means'),
      ),
    ),
];

/** @param {string} at */
const timeTo = (at) => {
  const ms = Date.parse(at) - Date.now();
  return ms > 0 ? `in ${formatMs(ms)}` : 'now due';
};

/** @param {ActorView} actor */
const factList = ({ node, lastNode, epoch, generation, durableAt, memoryMiB, sizes, capture, createdAt }) => [
  ...pair('Node', node ?? (lastNode === undefined ? 'none yet' : `none now; last ${lastNode}`)),
  ...pair('Epoch', epoch ?? 'never awake'),
  ...pair('Generation', generation === 0 ? '0, its template’s golden' : String(generation)),
  ...pair('Durable', formatAgo(durableAt), formatInstant(durableAt)),
  ...pair('Memory', `${memoryMiB} MiB`),
  ...(sizes?.shippedBytes === undefined ? [] : pair('Shipped', formatBytes(sizes.shippedBytes))),
  ...(capture === undefined
    ? []
    : pair('Capture', `${formatBytes(capture.sizeBytes)}, ${formatAgo(capture.capturedAt)}, not durable`)),
  ...pair('Created', formatAgo(createdAt), formatInstant(createdAt)),
];

/** @param {string} name @param {string} value @param {string} [title] */
const pair = (name, value, title) => [make('dt', {}, name), make('dd', { title }, value)];
