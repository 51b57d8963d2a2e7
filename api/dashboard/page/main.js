// @ts-check
/** The dashboard: puts the views, the stream of changes, the token and the keyboard together. */
import { createActorsView } from './actors/view.js';
import { watchReach } from './banner.js';
import { fill, find, make, setText } from './dom.js';
import { followChanges } from './live.js';
import { createNodesView } from './nodes.js';
import { emptyState } from './notice.js';
import { currentPlace } from './route.js';
import { createStartsView } from './starts.js';
import { createTemplatesView } from './templates.js';
import { offerThemes } from './theme.js';
import { askForTokens } from './token-dialog.js';

const liveWords = { live: 'live', polling: 'looking at intervals', connecting: 'connecting' };

const main = find('main', HTMLElement);
const announcer = find('announcer', HTMLElement);
const views = {
  actors: createActorsView((words) => setText(announcer, words)),
  templates: createTemplatesView(),
  nodes: createNodesView(),
  starts: createStartsView(),
};
/** @type {(typeof views)[keyof typeof views] | undefined} */
let shown;

function showPlace() {
  const place = currentPlace();
  const view = place.view in views ? views[/** @type {keyof typeof views} */ (place.view)] : undefined;
  for (const link of document.querySelectorAll('#views a')) {
    if (link.getAttribute('href') === `#/${place.view}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${place.id ?? place.view} · Dormouse`;
  if (view === undefined)
    fill(
      main,
      make(
        'div',
        { class: 'pane page' },
        make('h1', {}, 'Nothing here'),
        emptyState('There is no such view', 'The four views are above.'),
      ),
    );
  else if (view !== shown) fill(main, view.element);
  shown = view;
  view?.show(place);
}

function lookAgain() {
  shown?.onLook();
}

offerThemes();
askForTokens(() => {
  lookAgain();
  changes.reconnect();
});
watchReach({
  onBack: () => {
    lookAgain();
    changes.reconnect();
  },
});
const changes = followChanges({
  onChange: (change) => shown?.onChange(change),
  onLook: lookAgain,
  onLiveness: (liveness) => {
    find('live', HTMLElement).dataset['live'] = liveness;
    setText(find('live-words', HTMLElement), liveWords[liveness]);
  },
});

window.addEventListener('hashchange', showPlace);
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault(); // the address behind the # is the view
  main.focus();
});
document.addEventListener('keydown', (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches('input, select, textarea');
  if (document.querySelector('dialog[open]') !== null || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/' && !typing) {
    event.preventDefault();
    shown?.search();
  } else if (event.key === 'Escape' && shown?.escape()) event.preventDefault();
});
showPlace();
