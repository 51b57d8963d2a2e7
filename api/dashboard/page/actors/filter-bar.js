// @ts-check
/** Search and filters of the list of actors. They are part of the address, so that a view can be kept and sent. */
import { callJson } from '../api.js';
import { fill, make } from '../dom.js';

/** @import { Filter } from './actor-source.js' */

const states = ['running', 'suspended', 'resuming', 'suspending', 'pausing', 'paused', 'failed', 'deleting'];
/** Between two letters of a quick typist. */
const typingMs = 200;

/** @param {(filter: Filter) => void} onFilter */
export function createFilterBar(onFilter) {
  const search = make('input', {
    type: 'search',
    id: 'search',
    placeholder: 'Id prefix',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-keyshortcuts': '/',
  });
  const state = make('select', { id: 'filter-state' }, ...optionsOf('Any state', states));
  const template = make('select', { id: 'filter-template' }, ...optionsOf('Any template', []));
  const label = make('input', {
    type: 'text',
    id: 'filter-label',
    placeholder: 'Label',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const clear = make('button', { type: 'button', class: 'quiet', onclick: () => (show({}), tell()) }, 'Clear');
  const element = make(
    'form',
    {
      class: 'filters',
      role: 'search',
      'aria-label': 'Filter actors',
      onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
    },
    labelled('Search by id', search),
    labelled('State', state),
    labelled('Template', template),
    labelled('Label', label),
    clear,
  );
  let timer = 0;
  /** @returns {Filter} */
  const read = () => ({
    prefix: search.value.trim().toLowerCase() || undefined,
    state: state.value || undefined,
    template: template.value || undefined,
    label: label.value.trim() || undefined,
  });
  const tell = () => {
    window.clearTimeout(timer);
    clear.hidden = Object.values(read()).every((value) => value === undefined);
    onFilter(read());
  };
  const tellSoon = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(tell, typingMs);
  };
  for (const input of [search, label]) input.addEventListener('input', tellSoon);
  for (const select of [state, template]) select.addEventListener('change', tell);

  /** @param {Filter} filter */
  const show = (filter) => {
    search.value = filter.prefix ?? '';
    state.value = filter.state ?? '';
    label.value = filter.label ?? '';
    if (filter.template !== undefined && ![...template.options].some(({ value }) => value === filter.template)) {
      template.append(make('option', { value: filter.template }, filter.template));
    }
    template.value = filter.template ?? '';
    clear.hidden = Object.values(filter).every((value) => value === undefined);
  };
  return {
    element,
    show,
    focus: () => search.focus(),
    /** The names to choose from. That they cannot be had is told by the list itself. */
    async loadTemplates() {
      const { items } = await /** @type {Promise<{items: {name: string}[]}>} */ (callJson('/v1/templates?limit=500'));
      const chosen = template.value;
      const names = items.map(({ name }) => name);
      fill(
        template,
        ...optionsOf('Any template', chosen === '' || names.includes(chosen) ? names : [...names, chosen]),
      );
      template.value = chosen;
    },
  };
}

/** @param {string} all @param {readonly string[]} names */
const optionsOf = (all, names) => [
  make('option', { value: '' }, all),
  ...names.map((name) => make('option', { value: name }, name)),
];

/** @param {string} text @param {HTMLElement} input */
const labelled = (text, input) =>
  make('div', { class: 'field' }, make('label', { for: input.id, class: 'unseen' }, text), input);
