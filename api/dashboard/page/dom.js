// @ts-check
/** Makes elements. Text is always set as text, so nothing that an actor is called can become markup. */

const svgNamespace = 'http://www.w3.org/2000/svg';

/** @typedef {Node | string | number | undefined | false | null} Child */

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Readonly<Record<string, string | number | boolean | undefined | ((event: any) => void)>>} [properties]
 *   Attributes; a function is a listener (`onclick`), true an empty attribute, false or undefined none.
 * @param {...(Child | readonly Child[])} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  setAttributes(element, properties);
  element.append(...nodesOf(children));
  return element;
}

/**
 * @param {string} name
 * @param {Readonly<Record<string, string | number>>} attributes
 * @param {...SVGElement} children
 */
export function makeSvg(name, attributes, ...children) {
  const element = document.createElementNS(svgNamespace, name);
  setAttributes(element, attributes);
  element.append(...children);
  return /** @type {SVGElement} */ (element);
}

/** @param {Element} element @param {...(Child | readonly Child[])} children */
export const fill = (element, ...children) => element.replaceChildren(...nodesOf(children));

/** @param {Element} element @param {string} text Left alone when it is there already: a screen reader says it once. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 */
export function find(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return element;
}

/** @param {Element} element @param {Readonly<Record<string, unknown>>} properties */
function setAttributes(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
}

/** @param {readonly (Child | readonly Child[])[]} children */
const nodesOf = (children) =>
  /** @type {Child[]} */ (children.flat())
    .filter((child) => child !== undefined && child !== false && child !== null)
    .map((child) => (typeof child === 'number' ? String(child) : /** @type {Node | string} */ (child)));
