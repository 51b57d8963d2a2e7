/**
 * A client of the Dormouse API without dependencies: `fetch`, and a WebSocket for programs in actors. Every call takes an `AbortSignal`, throws a
 * `DormouseApiError` for what the api refused, and gives plain JSON for what it answered.
 *
 *   const dormouse = createClient({ url: 'http://127.0.0.1:7070' });
 *   await dormouse.actors.create({ id: 'alice', template: 'counter' });
 *   const response = await dormouse.actor('alice').fetch('/');
 */
import { actorHandle, type ActorHandle, type HandleOptions } from './actor-handle.ts';
import type { ActorSpec } from './actor-shapes.ts';
import { actorsOf, type Actors } from './actors.ts';
import { adminOf, type Admin } from './admin.ts';
import { eventsOf, type Events } from './events.ts';
import { healthOf, type Health } from './health.ts';
import { nodesOf, type Nodes } from './nodes.ts';
import { operationsOf, type Operations } from './operations.ts';
import { templatesOf, type Templates } from './templates.ts';
import { tokensOf, type Tokens } from './tokens.ts';
import { createTransport, type CallOptions, type ClientOptions } from './transport.ts';
import { webhooksOf, type Webhooks } from './webhooks.ts';

export { DormouseApiError } from './api-error.ts';
export type { ActorHandle, HandleOptions } from './actor-handle.ts';
export type { Actor, ActorFilter, ActorSpec, ActorState, Explanation, Generation } from './actor-shapes.ts';
export type { Change, WatchOptions } from './events.ts';
export type { ExecResult, ExecSession, ExecSpec, Output, SessionOptions, TerminalSize } from './exec.ts';
export type { Files, GuestFile } from './files.ts';
export type { LogLine, LogOptions } from './logs.ts';
export type { Node } from './nodes.ts';
export type { Operation } from './operations.ts';
export type { Template, TemplateSpec } from './templates.ts';
export type { NewToken, Token, Tokens, TokenSpec } from './tokens.ts';
export type { ClientOptions } from './transport.ts';
export type { NewWebhook, Webhook, Webhooks, WebhookSpec, WebhookTest } from './webhooks.ts';

export interface DormouseClient {
  readonly url: string;
  readonly templates: Templates;
  readonly actors: Actors;
  readonly operations: Operations;
  readonly nodes: Nodes;
  readonly events: Events;
  readonly webhooks: Webhooks;
  readonly tokens: Tokens;
  readonly health: Health;
  readonly admin: Admin;
  /** One actor, to call and to change; asks nothing by itself. */
  actor(id: string, options?: HandleOptions): ActorHandle;
  /** Creates an actor that `await using` deletes at the end of the scope. */
  temporary(spec: ActorSpec, options?: CallOptions): Promise<ActorHandle>;
}

/** Throws a TypeError when `url` is none. */
export function createClient(options: ClientOptions): DormouseClient {
  const transport = createTransport(options);
  const actors = actorsOf(transport);
  const actor = (id: string, handle?: HandleOptions): ActorHandle => actorHandle(transport, actors, id, handle);
  return {
    url: transport.baseUrl,
    templates: templatesOf(transport),
    actors,
    operations: operationsOf(transport),
    nodes: nodesOf(transport),
    events: eventsOf(transport),
    webhooks: webhooksOf(transport),
    tokens: tokensOf(transport),
    health: healthOf(transport),
    admin: adminOf(transport),
    actor,
    temporary: async (spec, call) => actor((await actors.create(spec, call)).id, { atEnd: 'delete' }),
  };
}
