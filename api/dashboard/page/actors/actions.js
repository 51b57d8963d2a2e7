// @ts-check
/**
 * What can be done with an actor: resume, suspend, pause, delete, call. A job is followed until it is over and its phases
 * are shown. A button that does not fit the state stays in its place (the focus would be lost with it) and does nothing.
 */
import { callJson } from '../api.js';
import { confirmed } from '../confirm.js';
import { fill, make } from '../dom.js';
import { formatMs } from '../format.js';
import { copyable, problemNotice } from '../notice.js';
import { readToken, tokenOption } from '../token-store.js';
import { waterfall } from '../waterfall.js';

/** @import { ActorView } from '../../../schemas/actor.ts' */
/** @import { Operation } from '../../../../shared/registry/records.ts' */
/** @typedef {'resume' | 'suspend' | 'pause' | 'delete'} Verb */

/** @type {Readonly<Record<Verb, {words: string, doing: string, states: readonly string[]}>>} */
const verbs = {
  resume: { words: 'Resume', doing: 'Waking', states: ['suspended', 'paused', 'failed'] },
  suspend: { words: 'Suspend', doing: 'Putting to sleep', states: ['running', 'paused'] },
  pause: { words: 'Pause', doing: 'Pausing', states: ['running'] },
  delete: {
    words: 'Delete',
    doing: 'Deleting',
    states: ['suspended', 'running', 'paused', 'failed', 'resuming', 'suspending', 'pausing'],
  },
};
/** An operation is looked at this often; the events usually come first. */
const lookMs = 1000;

/** @param {{announce: (words: string) => void, onChanged: () => void}} parts */
export function createActions({ announce, onChanged }) {
  let actorId = '';
  /** @type {{verb: Verb, id: string} | undefined} */
  let followed;
  let timer = 0;
  const buttons = /** @type {Verb[]} */ (Object.keys(verbs)).map((verb) => ({
    verb,
    button: make(
      'button',
      { type: 'button', class: verb === 'delete' ? 'danger' : '', 'data-verb': verb, onclick: () => void press(verb) },
      verbs[verb].words,
    ),
  }));
  const open = make(
    'a',
    { class: 'button', target: '_blank', rel: 'noopener noreferrer' },
    'Open',
    make('span', { 'aria-hidden': 'true' }, ' ↗'),
    make('span', { class: 'unseen' }, ' in a new tab; this wakes it'),
  );
  const outcome = make('div', { class: 'outcome' });
  const calling = make('details', { class: 'calling' });
  const element = make(
    'div',
    { class: 'actions-block' },
    make(
      'div',
      { class: 'actions', role: 'group', 'aria-label': 'Actions' },
      ...buttons.filter(({ verb }) => verb !== 'delete').map(({ button }) => button),
      open,
      ...buttons.filter(({ verb }) => verb === 'delete').map(({ button }) => button),
    ),
    outcome,
    calling,
  );

  /** @param {Verb} verb */
  const press = async (verb) => {
    const id = actorId;
    if (buttons.some(({ verb: its, button }) => its === verb && button.getAttribute('aria-disabled') === 'true'))
      return;
    if (
      verb === 'delete' &&
      !(await confirmed(
        `Delete ${id}?`,
        'Every generation of it goes, and its state with them. There is no way back.',
        'Delete',
      ))
    )
      return;
    fill(outcome, make('p', { class: 'muted', role: 'status' }, `${verbs[verb].doing} …`));
    const path = `/v1/actors/${encodeURIComponent(id)}`;
    const request =
      verb === 'delete'
        ? callJson(path, { method: 'DELETE' })
        : callJson(`${path}/${verb}`, { method: 'POST', body: {} });
    try {
      const operation = /** @type {Operation} */ (await request);
      if (id !== actorId) return;
      followed = { verb, id: operation.id };
      showOperation(verb, operation);
    } catch (error) {
      if (id === actorId) fill(outcome, problemNotice(error));
    }
    onChanged();
  };

  const look = async () => {
    window.clearTimeout(timer);
    const following = followed;
    if (following === undefined) return;
    try {
      const operation = /** @type {Operation} */ (await callJson(`/v1/operations/${following.id}`));
      if (followed === following) showOperation(following.verb, operation);
    } catch (error) {
      // The operation of an id that is gone, or an API that is away: the state of the actor tells the rest.
      if (followed === following)
        fill(
          outcome,
          problemNotice(error, () => void look()),
        );
    }
  };

  /** @param {Verb} verb @param {Operation} operation */
  const showOperation = (verb, operation) => {
    const { state, phases = {}, error, node, createdAt, finishedAt } = operation;
    if (state === 'queued' || state === 'running') {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => void look(), lookMs);
      return;
    }
    followed = undefined;
    onChanged();
    const took = finishedAt === undefined ? '' : ` in ${formatMs(Date.parse(finishedAt) - Date.parse(createdAt))}`;
    const words = `${verbs[verb].words}: ${state}${took}${node === undefined ? '' : ` on ${node}`}`;
    announce(words);
    const line = make('p', { role: 'status' }, words);
    const failure =
      error === undefined
        ? undefined
        : make(
            'div',
            { class: 'notice', role: 'alert' },
            make('p', {}, make('code', { class: 'code' }, error.code), ' ', error.message),
          );
    // A wake has its waterfall among the wakes.
    fill(outcome, line, failure, verb !== 'resume' && Object.keys(phases).length > 0 && waterfall(phases));
  };

  return {
    element,
    /** @param {string} id */
    of(id) {
      actorId = id;
      followed = undefined;
      window.clearTimeout(timer);
      fill(outcome);
      const address = addressOfActor(id);
      open.setAttribute('href', address);
      open.hidden = readToken() !== undefined; // a link carries no token
      calling.open = false;
      fill(
        calling,
        make('summary', {}, 'Call it from a terminal'),
        copyable(`curl -i${tokenOption()} ${location.origin}/v1/actors/${id}/invoke/`),
        make('p', { class: 'muted small' }, 'Or at an address of its own: ', make('code', {}, address)),
      );
    },
    /** @param {ActorView} actor */
    show({ state }) {
      for (const { verb, button } of buttons) {
        const fits = verbs[verb].states.includes(state);
        button.setAttribute('aria-disabled', String(!fits));
        button.title = fits ? '' : `Not while it is ${state}`;
      }
    },
    /** The actor has moved: perhaps because the operation is over. */
    look: () => void look(),
  };
}

/** Of its own origin, so that what an actor serves has no part in this page. @param {string} id */
function addressOfActor(id) {
  const domain =
    document.querySelector('meta[name="dormouse-actor-domain"]')?.getAttribute('content') ?? 'actors.localhost';
  return `${location.protocol}//${id}.${domain}${location.port === '' ? '' : `:${location.port}`}/`;
}
