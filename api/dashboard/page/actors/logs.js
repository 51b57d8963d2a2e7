// @ts-check
/**
 * What the containers of an actor write, as they write it. The stream is open only while its place is in sight (a browser
 * has few connections for one host), goes on behind the last line it had, and follows the actor through its sleeps; it
 * wakes nobody. Failures: it is tried again, less and less often, and stands there in words.
 */
import { callJson, problemFrom } from '../api.js';
import { fill, make, setText } from '../dom.js';
import { eventsIn, pause, readStream } from '../event-stream.js';
import { formatCount } from '../format.js';
import { createLogLines } from './log-lines.js';

/** @import { ActorView } from '../../../schemas/actor.ts' */
/** @import { LogLine } from './log-lines.js' */

/** Of what there is at the beginning. */
const firstLines = 500;
const firstPauseMs = 500;
const longestPauseMs = 10_000;

export function createLogs() {
  let actorId = '';
  let template = '';
  let last = '';
  let inSight = false;
  let following = new AbortController();
  let isFollowing = false;
  const status = make('p', { class: 'muted small log-status', role: 'status' });
  const follow = toggle('Follow', true, (on) => lines.hold(!on));
  const lines = createLogLines({
    onHold(held, waiting) {
      follow.setAttribute('aria-pressed', String(!held));
      setText(follow, held && waiting > 0 ? `Follow (${formatCount(waiting)} new)` : 'Follow');
    },
  });
  const wrap = toggle('Wrap', true, (on) => lines.wrap(on));
  const clear = make('button', { type: 'button', class: 'quiet', onclick: () => lines.clear() }, 'Clear');
  const container = make('select', { id: 'log-container', onchange: () => begin() });
  const choice = make(
    'div',
    { class: 'field', hidden: true },
    make('label', { for: 'log-container', class: 'unseen' }, 'Container'),
    container,
  );
  const element = make(
    'div',
    { class: 'logs' },
    make('div', { class: 'log-bar', role: 'group', 'aria-label': 'Log' }, follow, wrap, clear, choice),
    status,
    lines.element,
  );
  lines.wrap(true);

  const begin = () => {
    last = '';
    lines.clear();
    lines.hold(false);
    setText(status, 'Looking …');
    restart();
  };
  const restart = () => {
    following.abort();
    following = new AbortController();
    isFollowing = false;
    look();
  };
  /** Opens or ends the stream, as it should be now. */
  const look = () => {
    const wanted = actorId !== '' && inSight && !document.hidden;
    if (wanted === isFollowing) return;
    if (!wanted) {
      following.abort();
      following = new AbortController();
    }
    isFollowing = wanted;
    if (!wanted) return;
    lines.onSight();
    void run(following.signal);
  };

  /** @param {AbortSignal} signal */
  const run = async (signal) => {
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const onOpen = () => {
        pauseMs = firstPauseMs;
        if (last === '') setText(status, 'Nothing is written yet.');
      };
      await read(signal, onOpen).catch((error) => signal.aborted || tell(error));
      await pause(pauseMs, signal);
    }
  };
  /** @param {AbortSignal} signal @param {() => void} onOpen */
  const read = async (signal, onOpen) => {
    const query = new URLSearchParams({ follow: 'true', ...(last === '' && { tail: String(firstLines) }) });
    if (container.value !== '') query.set('container', container.value);
    const path = `/v1/actors/${encodeURIComponent(actorId)}/logs?${query}`;
    /** @type {Record<string, string>} */
    const headers = last === '' ? {} : { 'last-event-id': last };
    for await (const text of readStream(path, { signal, headers, onOpen })) {
      if (signal.aborted) return;
      const events = eventsIn(text);
      if (events.length === 0) continue;
      last = events.at(-1)?.id ?? last;
      setText(status, '');
      lines.add(events.map(({ data }) => /** @type {LogLine} */ (JSON.parse(data))));
    }
  };
  /** @param {unknown} error */
  const tell = (error) => {
    const { code, detail } = problemFrom(error);
    setText(status, code === 'unreachable' ? 'Waiting for the API …' : `${code}: ${detail}`);
  };
  new IntersectionObserver((entries) => {
    inSight = entries.at(-1)?.isIntersecting === true;
    look();
  }).observe(element);
  document.addEventListener('visibilitychange', look);

  /** @param {string} name */
  const offerContainers = async (name) => {
    /** @type {{spec: {containers: {name: string}[]}}} */
    const { spec } = await callJson(`/v1/templates/${encodeURIComponent(name)}`);
    if (name !== template) return;
    const names = spec.containers.map((each) => each.name);
    choice.hidden = names.length < 2;
    lines.nameContainers(names.length > 1);
    fill(
      container,
      make('option', { value: '' }, 'All containers'),
      ...names.map((each) => make('option', { value: each }, each)),
    );
  };

  return {
    element,
    /** @param {string} id Empty: of none. */
    of(id) {
      actorId = id;
      template = '';
      fill(container);
      choice.hidden = true;
      begin();
    },
    /** @param {ActorView} actor */
    show(actor) {
      if (actor.template === template) return;
      template = actor.template;
      // Without the names all of them are shown.
      void offerContainers(template).catch(problemFrom);
    },
  };
}

/** @param {string} words @param {boolean} on @param {(on: boolean) => void} onPress */
function toggle(words, on, onPress) {
  const button = make('button', { type: 'button', class: 'toggle', 'aria-pressed': String(on) }, words);
  button.addEventListener('click', () => {
    const next = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(next));
    onPress(next);
  });
  return button;
}
