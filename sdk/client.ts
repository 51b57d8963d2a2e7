/**
 * A client of the Dormouse API without dependencies: `fetch` and nothing else. Every call takes an `AbortSignal`, throws a
 * `DormouseApiError` for what the api refused, and gives plain JSON for what it answered.
 *
 *   const dormouse = createClient({ url: 'http://127.0.0.1:7070' });
 *   await dormouse.actors.create({ id: 'alice', template: 'counter' });
 *   const response = await dormouse.actor('alice').fetch('/');
 */
import { actorHandle, type ActorHandle } from './actor-call.ts';
import { actorsOf, type Actors } from './actors.ts';
import { adminOf, type Admin } from './admin.ts';
import { eventsOf, type Events } from './events.ts';
import { healthOf, type Health } from './health.ts';
import { nodesOf, type Nodes } from './nodes.ts';
import { operationsOf, type Operations } from './operations.ts';
import { templatesOf, type Templates } from './templates.ts';
import { createTransport, type ClientOptions } from './transport.ts';

export interface DormouseClient {
  readonly url: string;
  readonly templates: Templates;
  readonly actors: Actors;
  readonly operations: Operations;
  readonly nodes: Nodes;
  readonly events: Events;
  readonly health: Health;
  readonly admin: Admin;
  /** To call an actor; asks nothing by itself. */
  actor(id: string): ActorHandle;
}

/** Throws a TypeError when `url` is none. */
export function createClient(options: ClientOptions): DormouseClient {
  const transport = createTransport(options);
  return {
    url: transport.baseUrl,
    templates: templatesOf(transport),
    actors: actorsOf(transport),
    operations: operationsOf(transport),
    nodes: nodesOf(transport),
    events: eventsOf(transport),
    health: healthOf(transport),
    admin: adminOf(transport),
    actor: (id) => actorHandle(transport, id),
  };
}
