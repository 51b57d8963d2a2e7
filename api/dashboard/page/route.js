// @ts-check
/** Where the page is, in the address behind the `#`: `/actors?state=…`, `/actors/{id}`, `/templates`, `/nodes`, `/starts`. */

/** @typedef {{view: string, id: string | undefined, query: URLSearchParams}} Place */

/** @returns {Place} */
export function currentPlace() {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [view = '', id] = path.split('/');
  return {
    view: view === '' ? 'actors' : view,
    id: id === undefined || id === '' ? undefined : safelyDecoded(id),
    query: new URLSearchParams(query),
  };
}

/** @param {string} view @param {{id?: string | undefined, query?: URLSearchParams}} [more] */
export function addressOf(view, { id, query } = {}) {
  const words = query?.toString() ?? '';
  return `#/${view}${id === undefined ? '' : `/${encodeURIComponent(id)}`}${words === '' ? '' : `?${words}`}`;
}

/** @param {string} address */
export const go = (address) => void (location.hash = address);

/** @param {string} address Without a new step in the history: for what is typed letter by letter. */
export function replaceAddress(address) {
  history.replaceState(null, '', address);
}

/** @param {string} text */
function safelyDecoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
