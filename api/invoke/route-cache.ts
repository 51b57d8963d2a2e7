/**
 * Where the running actors are that this process has called lately, so that a call to one of them asks the registry
 * nothing. A route is a guess, never the truth: it leads to an ingress that admits exactly that activation or refuses
 * before it has passed anything on, and a refused call looks into the registry as if there had been no route.
 *
 *   the registry said `running` ─► kept ─► confirmed by every answer ─► dropped
 *
 * Dropped when: it was refused, nobody is there, the call failed, a change of the actor was announced, neither the
 * registry nor the ingress has confirmed it for a while, or too many are kept (the one used longest ago goes).
 */
import type { Registry } from '../../shared/registry/registry.ts';
import type { NodeTarget } from './node-directory.ts';

export interface Route {
  readonly node: string;
  readonly epoch: string;
  readonly target: NodeTarget;
}

export interface RouteCache extends Disposable {
  get(actorId: string): Route | undefined;
  /** The registry says so. */
  keep(actorId: string, route: Route): void;
  /** An answer came by it; a route that was dropped meanwhile stays dropped. */
  confirm(actorId: string, route: Route): void;
  /** Takes this very route out, not a newer one. */
  drop(actorId: string, route: Route): void;
}

/**
 * An announcement may be lost, and an ingress that has been stopped refuses nobody: this bounds how long calls can go to
 * one that is out of date, and is well below the time after which another node may have the actor (a lease).
 */
const trustMs = 3000;
/** Some hundred bytes each. */
const defaultLimit = 20_000;

interface Entry {
  readonly route: Route;
  until: number;
}

export function createRouteCache(registry: Pick<Registry, 'watch'>, limit = defaultLimit): RouteCache {
  const entries = new Map<string, Entry>(); // the one used longest ago first
  const feed = registry.watch((change) => {
    if (change.kind === 'actor') entries.delete(change.id);
  });
  const put = (id: string, entry: Entry): void => {
    entry.until = performance.now() + trustMs;
    entries.delete(id);
    entries.set(id, entry);
  };
  return {
    get(id) {
      const entry = entries.get(id);
      if (entry === undefined || entry.until > performance.now()) return entry?.route;
      entries.delete(id);
      return undefined;
    },
    keep(id, route) {
      const [oldest] = entries.keys();
      if (entries.size >= limit && oldest !== undefined && !entries.has(id)) entries.delete(oldest);
      put(id, { route, until: 0 });
    },
    confirm(id, route) {
      const entry = entries.get(id);
      if (entry?.route === route) put(id, entry);
    },
    drop(id, route) {
      if (entries.get(id)?.route === route) entries.delete(id);
    },
    [Symbol.dispose]: () => feed[Symbol.dispose](),
  };
}
