// @ts-check
/** Nodes: how much room each has, how long its lease lasts, and which actors it holds. */
import { callJson } from './api.js';
import { createCardsView, fact, gauge } from './cards-view.js';
import { make } from './dom.js';
import { formatAgo, formatCount, formatMs } from './format.js';
import { emptyState } from './notice.js';
import { addressOf } from './route.js';
import { stateBadge } from './states.js';

/** @import { ActorView } from '../../schemas/actor.ts' */
/** @typedef {import('zod').infer<typeof import('../../schemas/node.ts').nodeView> & {pool?: unknown}} NodeView */
/** @typedef {{items: ActorView[], nextCursor?: string}} ActorPage */

/** Every state in which a node holds an actor. */
const heldStates = ['running', 'resuming', 'suspending', 'pausing', 'paused'];
/** More names than that nobody reads on a card. */
const actorsShown = 12;

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
    draw: ({ nodes, actors, complete }) =>
      nodes.length === 0
        ? [
            emptyState(
              'No node has announced itself',
              'Without a node no actor can wake. Start a worker; it shows up here with its first lease.',
            ),
          ]
        : [make('ul', { class: 'cards' }, ...nodes.map((node) => nodeCard(node, actors, complete)))],
  });

/** @param {NodeView} node @param {readonly ActorView[]} actors @param {boolean} complete */
function nodeCard(node, actors, complete) {
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
      ...poolFacts(node.pool),
    ),
    heldActors(
      id,
      actors.filter((actor) => actor.node === id),
      complete,
    ),
  );
}

/** Whatever numbers the node announces of its pool. @param {unknown} pool */
function poolFacts(pool) {
  if (typeof pool !== 'object' || pool === null) return [];
  return Object.entries(pool).flatMap(([name, value]) =>
    typeof value === 'number' ? [fact(`Pool, ${name}`, formatCount(value))] : [],
  );
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
