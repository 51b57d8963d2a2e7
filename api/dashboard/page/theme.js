// @ts-check
/** Light, dark, or as the system says; kept for the next visit. The button tells what it is and what it becomes. */
import { find } from './dom.js';

const key = 'dormouse-appearance';
const appearances = /** @type {const} */ (['system', 'light', 'dark']);
const signs = { system: '◐', light: '☀', dark: '☾' };

export function offerThemes() {
  const button = find('theme', HTMLButtonElement);
  let now = appearances.find((name) => name === localStorage.getItem(key)) ?? 'system';
  const show = () => {
    if (now === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = now;
    button.textContent = signs[now];
    button.setAttribute('aria-label', `Appearance: ${now}`);
    button.title = `Appearance: ${now}`;
  };
  button.addEventListener('click', () => {
    now = appearances[(appearances.indexOf(now) + 1) % appearances.length] ?? 'system';
    localStorage.setItem(key, now);
    show();
  });
  show();
}
