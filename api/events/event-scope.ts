/** Which events a caller may hear of: those of the namespace it works in, and of nodes unless its token is bound to one. */
import { everyNamespace, type Caller } from '../access/namespace.ts';
import type { EventScope } from '../schemas/event.ts';

interface Listener {
  readonly namespace: string;
  readonly caller: Caller | undefined;
}

export const scopeOfEvents = ({ namespace, caller }: Listener): EventScope => ({
  namespace: namespace === everyNamespace ? undefined : namespace,
  nodes: caller !== undefined && caller.boundTo === undefined,
});
