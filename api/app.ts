/** The framework's application, typed so that a route's schema types its handler; and what routes are made from. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { GuestParts } from './guest/open-session.ts';
import type { EventFeed } from './events/event-feed.ts';
import type { ApiParts } from './parts.ts';
import type { ActorWatch } from './scheduler/actor-watch.ts';
import type { Parking } from './scheduler/parking.ts';
import type { TemplateCache } from '../shared/registry/template-cache.ts';

export type ApiApp = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

export interface RouteParts extends ApiParts {
  readonly watch: ActorWatch;
  readonly templates: TemplateCache;
  readonly parking: Parking;
  /** For what is inside of actors. */
  readonly guest: GuestParts;
  readonly feed: EventFeed;
  /** Ends when the process stops: for answers that would otherwise never end. */
  readonly stopping: AbortSignal;
}
