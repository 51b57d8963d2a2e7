/** Which actor a request is for: by host name, or by path. What the id may be is not checked here. */

import { namespaceSchema } from '../../shared/actor/namespace.ts';

export interface ActorAddress {
  readonly id: string;
  /** When the host name says so. */
  readonly namespace?: string;
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
  const byHost = actorOfHost(host, actorDomain);
  if (byHost !== undefined) return { ...byHost, path };
  const match = invokePath.exec(path);
  if (match === null) return undefined;
  const rest = match[2] ?? '';
  return { id: match[1] ?? '', path: rest.startsWith('/') ? rest : `/${rest}` };
}

/** `{id}.<domain>` or `{id}.{namespace}.<domain>`, with or without a port and a final dot. */
export function actorOfHost(host: string | undefined, actorDomain: string): Omit<ActorAddress, 'path'> | undefined {
  const name = (host ?? '')
    .toLowerCase()
    .replace(/:[0-9]*$/, '')
    .replace(/\.$/, '');
  const suffix = `.${actorDomain}`;
  if (!name.endsWith(suffix) || name.length === suffix.length) return undefined;
  const labels = name.slice(0, -suffix.length);
  const dot = labels.indexOf('.');
  const namespace = namespaceSchema.safeParse(labels.slice(dot + 1));
  // With more dots it is nobody's id.
  return dot < 1 || !namespace.success ? { id: labels } : { id: labels.slice(0, dot), namespace: namespace.data };
}

/** A proxy's client sends the whole URL in its request line; what an origin sees is its path. */
function originForm(url: string): string {
  const absolute = /^https?:\/\/[^/?#]*(.*)$/is.exec(url);
  if (absolute === null) return url;
  const rest = absolute[1] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}
