/** GET /v1/actors/{id} */
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ActorRecord } from '../../../shared/registry/records.ts';
import type { Registry } from '../../../shared/registry/registry.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { actorParams, actorView, viewOfActor } from '../../schemas/actor.ts';

export function getRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/actors/:id',
    {
      schema: {
        tags: ['actors'],
        summary: 'Where an actor is and how old its durable state is',
        params: actorParams,
        response: { 200: actorView },
      },
    },
    async (request) => viewOfActor(await requireActor(parts.registry, request.params.id)),
  );
}

export async function requireActor(registry: Pick<Registry, 'getActor'>, id: string): Promise<ActorRecord> {
  const record = await registry.getActor(id);
  if (record === undefined) throw new DormouseError('actor-not-found', `no actor ${id}`);
  return record;
}
