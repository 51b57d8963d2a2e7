/**
 * In which namespace a request works: that of its token if the token is bound to one, else the one it names, else
 * `default`. By host name an actor's namespace stands in the host; everything else names it in a header.
 *
 * Failures: `invalid-input` (no namespace's name), `namespace-not-found` (another one than the token's: whether there is
 * anything in it is not said).
 */
import type { IncomingMessage } from 'node:http';
import { actorIdSchema } from '../../shared/actor/names.ts';
import { defaultNamespace, namespaceSchema, qualify } from '../../shared/actor/namespace.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export interface Caller {
  /** The namespace that its token is bound to; undefined: none, it may name any and work on the platform itself. */
  readonly boundTo: string | undefined;
}

const namespaceHeader = 'dormouse-namespace';

/** All of them at once, for lists. No namespace is called so. */
export const everyNamespace = '*';

export function namespaceFor(request: IncomingMessage, { boundTo }: Caller, byHost?: string): string {
  const named = byHost ?? headerOf(request);
  if (named === undefined) return boundTo ?? defaultNamespace;
  if (boundTo === undefined || named === boundTo) return named;
  throw new DormouseError('namespace-not-found', `no namespace ${named}`);
}

/** The qualified name of the actor that a request ahead of the framework is for; what its id may be is checked here. */
export function actorFor(
  request: IncomingMessage,
  caller: Caller,
  { id, namespace: byHost }: { readonly id: string; readonly namespace?: string },
): string {
  const namespace = namespaceFor(request, caller, byHost);
  if (namespace === everyNamespace) throw noName('this is done in one namespace: name it');
  if (!actorIdSchema.safeParse(id).success) {
    throw new DormouseError('actor-not-found', `no actor ${id.slice(0, 80)}`);
  }
  return qualify(namespace, id);
}

function headerOf({ headers }: IncomingMessage): string | undefined {
  const named = headers[namespaceHeader];
  if (named === undefined || named === everyNamespace) return named;
  const checked = namespaceSchema.safeParse(named);
  if (checked.success) return checked.data;
  throw noName('a DNS label, or * in a list');
}

export const noName = (message: string): DormouseError =>
  new DormouseError('invalid-input', `Dormouse-Namespace: ${message}`, {
    errors: [{ field: `headers.${namespaceHeader}`, message }],
  });
