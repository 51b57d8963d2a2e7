// @ts-check
/** What went wrong and what to do about it; and what stands where there is nothing yet. */
import { problemFrom } from './api.js';
import { make } from './dom.js';

/** @param {unknown} error @param {() => void} [again] */
export function problemNotice(error, again) {
  const { code, detail, nextStep, requestId } = problemFrom(error);
  return make(
    'div',
    { class: 'notice', role: 'alert' },
    make('p', {}, make('code', { class: 'code' }, code), ' ', detail),
    make('p', { class: 'muted' }, nextStep),
    requestId !== undefined && make('p', { class: 'muted small' }, 'Request ', make('code', {}, requestId)),
    again !== undefined && make('button', { type: 'button', onclick: again }, 'Try again'),
  );
}

/**
 * @param {string} title @param {string} words @param {string} [command] Something to paste into a terminal.
 */
export function emptyState(title, words, command) {
  return make(
    'div',
    { class: 'empty' },
    make('h2', {}, title),
    make('p', { class: 'muted' }, words),
    command !== undefined && copyable(command),
  );
}

/** @param {string} command */
export function copyable(command) {
  const button = make('button', { type: 'button', class: 'quiet', onclick: () => copy(command, button) }, 'Copy');
  return make('div', { class: 'copyable' }, make('pre', { tabindex: 0 }, command), button);
}

/** @param {string} text @param {HTMLButtonElement} button */
async function copy(text, button) {
  // Denied where the page is not served from a safe origin: the text can still be marked by hand.
  const done = await navigator.clipboard
    .writeText(text)
    .then(() => true)
    .catch(() => false);
  button.textContent = done ? 'Copied' : 'Mark it and copy';
  window.setTimeout(() => (button.textContent = 'Copy'), 2000);
}
