// @ts-check
/**
 * Asks for the token when the API refuses a call for want of one, and has everything asked again with it. Whoever declines
 * is not asked again, but finds a button for it.
 */
import { onReach } from './api.js';
import { find } from './dom.js';
import { keepToken, readToken } from './token-store.js';

/** @param {() => void} onToken */
export function askForTokens(onToken) {
  const dialog = find('token', HTMLDialogElement);
  const input = find('token-value', HTMLInputElement);
  const refused = find('token-refused', HTMLElement);
  const reopen = find('token-open', HTMLButtonElement);
  const ask = () => {
    refused.hidden = readToken() === undefined;
    dialog.returnValue = '';
    dialog.showModal();
    input.focus();
  };
  find('token-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => (reopen.hidden = dialog.returnValue === 'given'));
  dialog.querySelector('form')?.addEventListener('submit', () => {
    keepToken(input.value.trim());
    dialog.returnValue = 'given';
    input.value = '';
    onToken();
  });
  reopen.addEventListener('click', ask);
  onReach((reach) => {
    const declined = !reopen.hidden;
    if (reach === 'unauthorized' && !dialog.open && !declined) ask();
  });
}
