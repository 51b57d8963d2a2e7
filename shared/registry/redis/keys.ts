/**
 * Every Redis key of the registry; the Lua scripts build the same names. The tag in braces puts them all into one slot of a
 * Redis Cluster, so that a script may touch any of them.
 */
export const redisKeys = {
  incarnation: '{dm}:incarnation',
  actor: (id: string) => `{dm}:actor:${id}`,
  actors: '{dm}:actors',
  actorsInState: (state: string) => `{dm}:actors:state:${state}`,
  actorsOfTemplate: (name: string) => `{dm}:actors:template:${name}`,
  deadlines: '{dm}:deadlines',
  template: (name: string) => `{dm}:template:${name}`,
  templates: '{dm}:templates',
  node: (id: string) => `{dm}:node:${id}`,
  nodes: '{dm}:nodes',
  nodeActors: (id: string) => `{dm}:node:${id}:actors`,
  nodePaused: (id: string) => `{dm}:node:${id}:paused`,
  nodeRevisions: (id: string) => `{dm}:node:${id}:revisions`,
  lease: (id: string) => `{dm}:node:${id}:lease`,
  /** Between a lease that was taken again and the node's word on what it still runs. */
  nodeReturning: (id: string) => `{dm}:node:${id}:returning`,
  /** The boot of the node that was declared over. */
  nodeOver: (id: string) => `{dm}:node:${id}:over`,
  operation: (id: string) => `{dm}:operation:${id}`,
  openOperations: '{dm}:operations:open',
  remembered: (key: string) => `{dm}:idempotency:${key}`,
  note: (name: string) => `{dm}:note:${name}`,
  leader: (name: string) => `{dm}:leader:${name}`,
  events: '{dm}:events',
  /** Pub/sub channel of changes. */
  changes: '{dm}:changes',
  /** Of actors and operations. */
  actorChanges: '{dm}:actor-changes',
  /** Of actors that begin to wake. */
  wakeChanges: '{dm}:wake-changes',
} as const;
