/** Which actor a request is for: by host name, or by path. What the id may be is not checked here. */

export interface ActorAddress {
  readonly id: string;
  /** Path and query as the actor shall see them, byte for byte as the client sent them. */
  readonly path: string;
}

const invokePath = /^\/v1\/actors\/([^/?#]+)\/invoke(?=[/?]|$)(.*)$/s;

/** Undefined when the request is for the api itself. The host name goes first: an actor may have any path. */
export function addressOf(
  host: string | undefined,
  url: string | undefined,
  actorDomain: string,
): ActorAddress | undefined {
  const path = originForm(url ?? '/');
  const id = actorOfHost(host, actorDomain);
  if (id !== undefined) return { id, path };
  const match = invokePath.exec(path);
  if (match === null) return undefined;
  const rest = match[2] ?? '';
  return { id: match[1] ?? '', path: rest.startsWith('/') ? rest : `/${rest}` };
}

/** `{id}.<domain>`, with or without a port and a final dot. */
export function actorOfHost(host: string | undefined, actorDomain: string): string | undefined {
  const name = (host ?? '')
    .toLowerCase()
    .replace(/:[0-9]*$/, '')
    .replace(/\.$/, '');
  const suffix = `.${actorDomain}`;
  return name.endsWith(suffix) && name.length > suffix.length ? name.slice(0, -suffix.length) : undefined;
}

/** A proxy's client sends the whole URL in its request line; what an origin sees is its path. */
function originForm(url: string): string {
  const absolute = /^https?:\/\/[^/?#]*(.*)$/is.exec(url);
  if (absolute === null) return url;
  const rest = absolute[1] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}
