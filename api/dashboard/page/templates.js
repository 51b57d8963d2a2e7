// @ts-check
/** Templates: what actors are made from, whether that is ready, and what went wrong if not. */
import { callJson } from './api.js';
import { createCardsView, fact } from './cards-view.js';
import { make } from './dom.js';
import { formatAgo, formatBytes, formatInstant, formatMs, shorten } from './format.js';
import { emptyState } from './notice.js';
import { stateBadge } from './states.js';

/** @import { TemplateView } from '../../schemas/template.ts' */
/** @import { TemplateSpec } from '../../../shared/template/template-spec.ts' */

export const createTemplatesView = () =>
  createCardsView({
    title: 'Templates',
    kinds: ['template'],
    load: (signal) =>
      /** @type {Promise<{items: TemplateView[], nextCursor?: string}>} */ (
        callJson('/v1/templates?limit=500', { signal })
      ),
    draw: ({ items, nextCursor }) =>
      items.length === 0
        ? [
            emptyState(
              'No templates yet',
              'A template says which image an actor runs, with how much memory, and when it goes to sleep. POST /v1/templates makes one; the API reference at /docs says how.',
            ),
          ]
        : [
            make('ul', { class: 'cards' }, ...items.map(templateCard)),
            nextCursor !== undefined && make('p', { class: 'muted' }, 'There are more; the first 500 are shown.'),
          ],
  });

/** @param {TemplateView} template */
function templateCard({ name, state, since, revision, spec: raw, golden, error, preparedAt }) {
  const spec = /** @type {Partial<TemplateSpec>} */ (raw);
  return make(
    'li',
    { class: 'card' },
    make('div', { class: 'card-head' }, make('h2', {}, name), stateBadge(state)),
    make(
      'p',
      { class: 'muted small' },
      make('span', { title: revision }, `revision ${shorten(revision)}`),
      make('span', { title: formatInstant(since) }, ` · ${state} ${formatAgo(since)}`),
    ),
    ...(spec.containers ?? []).map((container) =>
      make(
        'p',
        { class: 'image' },
        make('span', { class: 'muted' }, `${container.name} `),
        make('code', { title: container.image }, container.image),
      ),
    ),
    make(
      'dl',
      { class: 'facts-row' },
      spec.memoryMiB !== undefined && fact('Memory', `${spec.memoryMiB} MiB`),
      spec.vcpus !== undefined && fact('CPUs', spec.vcpus),
      spec.idleTimeoutMs !== undefined && fact('Sleeps after', formatMs(spec.idleTimeoutMs)),
      golden !== undefined &&
        fact(
          'Golden',
          formatBytes(golden.shippedBytes),
          preparedAt === undefined ? undefined : `prepared ${formatInstant(preparedAt)}`,
        ),
    ),
    error !== undefined &&
      make('div', { class: 'notice' }, make('p', {}, make('code', { class: 'code' }, error.code), ' ', error.message)),
    make(
      'p',
      {},
      make('a', { id: `actors-of-${name}`, href: `#/actors?template=${encodeURIComponent(name)}` }, 'Its actors'),
    ),
  );
}
