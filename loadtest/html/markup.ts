/** Markup as text, with everything from outside escaped: names come from templates, actors and other people's files. */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; children are markup already, so words go through `words` first. */
export function element(name: string, attributes: Attributes = {}, children: readonly string[] = []): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${words(attributeText(value ?? ''))}"`)
    .join('');
  return children.length === 0 && emptyElements.has(name)
    ? `<${name}${written}/>`
    : `<${name}${written}>${children.join('')}</${name}>`;
}

const emptyElements: ReadonlySet<string> = new Set(['line', 'rect', 'circle', 'path', 'meta']);

/** A tenth of a pixel is finer than anyone sees. */
const attributeText = (value: string | number): string =>
  typeof value === 'number' ? String(Number(value.toFixed(1))) : value;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const words = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
