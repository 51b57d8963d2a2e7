// @ts-check
/**
 * Nodes: how much room each has, how long its lease lasts, what waits in its pool and which actors it holds; and the way to
 * take one out of service and back.
 */
import { callJson } from './api.js';
import { createCardsView, fact, gauge } from './cards-view.js';
import { confirmed } from './confirm.js';
import { make } from './dom.js';
import { formatAgo, formatCount, formatMs } from './format.js';
import { emptyState, problemNotice } from './notice.js';
import { addressOf } from './route.js';
import { stateBadge } from './states.js';

/** @import { ActorView } from '../../schemas/actor.ts' */
/** @import { NodeView } from '../../schemas/node.ts' */
/** @typedef {{items: ActorView[], nextCursor?: string}} ActorPage */

/** Every state in which a node holds an actor. */
const heldStates = ['running', 'resuming', 'suspending', 'pausing', 'paused'];
/** More names than that nobody reads on a card. */
const actorsShown = 12;

/** @type {Map<string, unknown>} Of each node: why the last order was refused. It stays until the next one. */
const refusals = new Map();

export const createNodesView = () =>
  createCardsView({
    title: 'Nodes',
    kinds: ['node', 'actor'],
    settleMs: 2000, // each look reads the list of every held state
    load: async (signal) => {
      const [nodes, ...pages] = await Promise.all([
        /** @type {Promise<{items: NodeView[]}>} */ (callJson('/v1/nodes', { signal })),
        ...heldStates.map(
          (state) => /** @type {Promise<ActorPage>} */ (callJson(`/v1/actors?state=${state}&limit=500`, { signal })),
        ),
      ]);
      const complete = pages.every(({ nextCursor }) => nextCursor === undefined);
      return { nodes: nodes.items, actors: pages.flatMap(({ items }) => items), complete };
    },
    draw: ({ nodes, actors, complete }, again) =>
      nodes.length === 0
        ? [
            emptyState(
              'No node has announced itself',
              'Without a node no actor can wake. Start a worker; it shows up here with its first lease.',
            ),
          ]
        : [make('ul', { class: 'cards' }, ...nodes.map((node) => nodeCard(node, actors, complete, again)))],
  });

/** @param {NodeView} node @param {readonly ActorView[]} actors @param {boolean} complete @param {() => void} again */
function nodeCard(node, actors, complete, again) {
  const { id, state, leaseMs, slots, usedSlots, memoryMiB, usedMemoryMiB, startedAt, runtime } = node;
  return make(
    'li',
    { class: 'card' },
    make('div', { class: 'card-head' }, make('h2', {}, id), stateBadge(leaseMs === 0 ? 'lost' : state)),
    make(
      'p',
      { class: 'muted small' },
      `${runtime.vmm} ${runtime.vmmVersion} · ${runtime.accelerator} · ${runtime.arch} · kernel ${runtime.kernel}`,
    ),
    gauge('Slots', usedSlots, slots, `${usedSlots} of ${slots}`),
    gauge('Memory', usedMemoryMiB, memoryMiB, `${formatCount(usedMemoryMiB)} of ${formatCount(memoryMiB)} MiB`),
    make(
      'dl',
      { class: 'facts-row' },
      fact('Lease', leaseMs === 0 ? 'over' : `${formatMs(leaseMs)} left`),
      fact('Started', formatAgo(startedAt)),
    ),
    poolList(node.pool),
    heldActors(
      id,
      actors.filter((actor) => actor.node === id),
      complete,
    ),
    leaseMs > 0 && serviceRow(node, again),
    refusals.has(id) && problemNotice(refusals.get(id)),
  );
}

/** @param {NodeView} node @param {() => void} again */
function serviceRow({ id, state, usedSlots }, again) {
  const drains = state === 'draining';
  const left = `${formatCount(usedSlots)} ${usedSlots === 1 ? 'actor' : 'actors'} left`;
  const button = make(
    'button',
    {
      type: 'button',
      id: `order-${id}`,
      'aria-label': drains ? `Give ${id} actors again` : `Drain ${id}`,
      onclick: () => void order(id, drains ? 'undrain' : 'drain', usedSlots, again),
    },
    drains ? 'Give it actors again' : 'Drain',
  );
  return make(
    'div',
    { class: 'card-foot' },
    drains && make('span', { class: 'muted small' }, usedSlots === 0 ? 'Drained: it can be stopped.' : left),
    button,
  );
}

/** @param {string} id @param {'drain' | 'undrain'} verb @param {number} usedSlots @param {() => void} again */
async function order(id, verb, usedSlots, again) {
  const actors = usedSlots === 0 ? '' : 'Its actors are put to sleep; their next call wakes them on another node. ';
  const words = `${actors}The node stays up, and gets no actors until you give it some again.`;
  if (verb === 'drain' && !(await confirmed(`Drain ${id}?`, words, 'Drain'))) return;
  refusals.delete(id);
  await callJson(`/v1/nodes/${encodeURIComponent(id)}/${verb}`, { method: 'POST', body: {} }).catch(
    (/** @type {unknown} */ error) => void refusals.set(id, error),
  );
  again();
}

/** @param {NodeView['pool']} pool */
function poolList(pool) {
  if (pool.length === 0) return make('p', { class: 'muted' }, 'Nothing waits in its pool.');
  const rows = pool.map(({ template, namespace, ready, making }) =>
    make(
      'li',
      {},
      make('code', {}, namespace === 'default' ? template : `${template} in ${namespace}`),
      make('span', { class: 'number' }, `${ready} ready${making > 0 ? `, ${making} being made` : ''}`),
    ),
  );
  return make('div', {}, make('h3', {}, 'Pool: sandboxes in waiting'), make('ul', { class: 'pool-list' }, ...rows));
}

/** @param {string} node @param {readonly ActorView[]} actors @param {boolean} complete */
function heldActors(node, actors, complete) {
  if (actors.length === 0)
    return make('p', { class: 'muted' }, complete ? 'Holds no actor now.' : 'None of the actors that were looked at.');
  const more = actors.length - actorsShown;
  const links = actors
    .slice(0, actorsShown)
    .map(({ id, state }) =>
      make(
        'li',
        {},
        make(
          'a',
          { id: `${node}-holds-${id}`, class: 'held', href: addressOf('actors', { id }), title: `${id}, ${state}` },
          id,
        ),
      ),
    );
  return make(
    'div',
    {},
    make('h3', {}, `Actors (${formatCount(actors.length)}${complete ? '' : '+'})`),
    make('ul', { class: 'held-list' }, ...links),
    more > 0 && make('p', { class: 'muted small' }, `and ${formatCount(more)} more`),
  );
}
