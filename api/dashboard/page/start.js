// @ts-check
/**
 * Loads the page's modules, and the page anew when one of them, or a style sheet, does not come: while an api restarts, or because the network
 * of this machine changed, as it does whenever a VM starts on it (Chromium then breaks off every request under way). A
 * module that failed once stays failed, so nothing less than a reload helps.
 */
const key = 'dormouse-reloads';
/** An old browser, which cannot run the modules at all, is not reloaded for ever. */
const mostReloads = 20;
const pauseMs = 1000;

try {
  const links = /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll('link[rel=stylesheet]'));
  if ([...links].some(({ sheet }) => sheet === null)) throw new Error('a style sheet is missing');
  await import('./main.js');
  sessionStorage.removeItem(key);
} catch (error) {
  const reloads = Number(sessionStorage.getItem(key) ?? 0);
  const banner = document.getElementById('banner');
  const again = reloads < mostReloads;
  if (banner !== null) {
    banner.hidden = false;
    banner.textContent = again ? 'The page could not be loaded; trying again …' : `The page cannot be loaded: ${error}`;
  }
  sessionStorage.setItem(key, String(again ? reloads + 1 : 0));
  if (again) setTimeout(() => location.reload(), pauseMs);
}

export {};
