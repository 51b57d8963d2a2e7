/**
 * Paths that stay where they belong. `fetch` resolves dot segments before it sends (`%2e%2e` and back-slashes too), so an
 * id or path from outside could otherwise reach another route with the caller's token.
 */

/** One path segment. Throws a TypeError for what would vanish from or climb up the path. */
export function segment(value: string): string {
  if (value === '' || value === '.' || value === '..') {
    throw new TypeError(`${JSON.stringify(value)} cannot be a name in a Dormouse URL`);
  }
  return encodeURIComponent(value);
}

export type QueryValues = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** `?a=1&b=2`, without what is undefined, a list by repetition; empty when nothing is left. */
export function queryString(values: QueryValues): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    for (const one of typeof value === 'object' ? value : [String(value)]) query.append(name, one);
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

/** The URL that invokes an actor with `path` (which may carry a query). Throws a TypeError when it leaves the actor. */
export function invokeUrl(baseUrl: string, actorId: string, path: string): string {
  const root = new URL(`${baseUrl}/v1/actors/${segment(actorId)}/invoke/`);
  // Appended as text: resolving would take "//other.example/" for another host.
  const url = new URL(root.href + path.replace(/^\//, ''));
  if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) {
    throw new TypeError(`the path ${JSON.stringify(path)} leads out of the actor`);
  }
  return url.href;
}
