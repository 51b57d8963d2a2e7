/** POST /v1/actors: durable when it answers; nothing boots. */
import type { ApiApp, RouteParts } from '../../app.ts';
import { actorSpecSchema, actorView, viewOfActor } from '../../schemas/actor.ts';
import { createActor } from '../../scheduler/create-actor.ts';

export function createRoute(app: ApiApp, parts: RouteParts): void {
  app.post(
    '/v1/actors',
    {
      schema: {
        tags: ['actors'],
        summary: 'Create an actor; it sleeps until it is called',
        body: actorSpecSchema,
        response: { 201: actorView },
      },
    },
    async (request, reply) => {
      const view = viewOfActor(await createActor(parts, request.namespace, request.body));
      return reply.code(201).header('location', `/v1/actors/${view.id}`).send(view);
    },
  );
}
