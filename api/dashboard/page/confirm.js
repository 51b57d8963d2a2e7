// @ts-check
/** Asks before what cannot be undone. The harmless answer has the focus; Escape is the same. */
import { find, setText } from './dom.js';

/** @param {string} title @param {string} words @param {string} yes @returns {Promise<boolean>} */
export function confirmed(title, words, yes) {
  const dialog = find('confirm', HTMLDialogElement);
  setText(find('confirm-title', HTMLElement), title);
  setText(find('confirm-words', HTMLElement), words);
  setText(find('confirm-yes', HTMLElement), yes);
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
