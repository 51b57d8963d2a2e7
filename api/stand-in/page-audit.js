// @ts-check
/** Runs inside a page, as one expression: what somebody without a mouse, good eyes or a wide screen would stumble over. */
(() => {
  /** @type {string[]} */
  const findings = [];
  const visible = (/** @type {Element} */ element) =>
    element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const told = (/** @type {Element} */ element) =>
    `${element.tagName.toLowerCase()}.${element.className} "${(element.textContent ?? '').trim().slice(0, 30)}"`;

  for (const element of document.querySelectorAll(
    'a, button, input, select, summary, [role=listbox], [tabindex="0"]',
  )) {
    const label =
      element instanceof HTMLInputElement || element instanceof HTMLSelectElement
        ? element.labels?.[0]?.textContent
        : element.textContent;
    const caption = element instanceof HTMLPreElement ? 'a text to scroll' : '';
    const name = element.getAttribute('aria-label') ?? label ?? caption;
    if (visible(element) && name.trim() === '') findings.push(`no name: ${told(element)}`);
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) findings.push(`id twice: ${id}`);
  for (const landmark of ['main', 'header', 'nav[aria-label]']) {
    if (document.querySelectorAll(landmark).length !== 1) findings.push(`not one ${landmark}`);
  }
  if (document.querySelectorAll('h1').length !== 1) findings.push('not one h1');
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) findings.push(`${scrollWidth} px wide on a screen of ${clientWidth}`);
  for (const pane of document.querySelectorAll('.pane')) {
    if (visible(pane) && pane.scrollWidth > pane.clientWidth + 1)
      findings.push(`a pane scrolls sideways: ${told(pane)}`);
  }

  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  /** @param {string} color @returns {[number, number, number, number]} */
  const channels = (color) => {
    if (canvas === null) return [0, 0, 0, 0];
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0, alpha = 0] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha];
  };
  /** @param {readonly number[]} color */
  const luminance = ([red = 0, green = 0, blue = 0]) => {
    const [r = 0, g = 0, b = 0] = [red, green, blue].map((value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  /** @param {Element | null} element @returns {readonly number[]} */
  const groundOf = (element) => {
    if (element === null) return [255, 255, 255];
    const color = channels(getComputedStyle(element).backgroundColor);
    return color[3] === 255 ? color : groundOf(element.parentElement);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text !== null; text = walker.nextNode()) {
    const element = text.parentElement;
    if (element === null || (text.textContent ?? '').trim() === '' || !visible(element)) continue;
    if (element.closest('.unseen, .skip, [aria-disabled=true], option, script, noscript') !== null) continue;
    const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(groundOf(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) findings.push(`contrast ${contrast.toFixed(2)}: ${told(element)}`);
  }
  return findings;
})();
