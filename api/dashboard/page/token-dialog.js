// @ts-check
/** Asks for the token when the API refuses a call for want of one, and has everything asked again with it. */
import { onReach } from './api.js';
import { find } from './dom.js';
import { keepToken, readToken } from './token-store.js';

/** @param {() => void} onToken */
export function askForTokens(onToken) {
  const dialog = find('token', HTMLDialogElement);
  const input = find('token-value', HTMLInputElement);
  const refused = find('token-refused', HTMLElement);
  let declined = false;
  find('token-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close());
  dialog.addEventListener('cancel', () => (declined = true));
  dialog.addEventListener('close', () => (declined = dialog.returnValue === ''));
  dialog.querySelector('form')?.addEventListener('submit', () => {
    keepToken(input.value.trim());
    dialog.returnValue = 'given';
    input.value = '';
    onToken();
  });
  onReach((reach) => {
    if (reach !== 'unauthorized' || dialog.open || declined) return;
    refused.hidden = readToken() === undefined;
    dialog.returnValue = '';
    dialog.showModal();
    input.focus();
  });
  return { ask: () => ((declined = false), dialog.open || dialog.showModal()) };
}
