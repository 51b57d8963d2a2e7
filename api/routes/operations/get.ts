/** GET /v1/operations/{id} */
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { operationView } from '../../schemas/operation.ts';

export function getRoute(app: ApiApp, parts: RouteParts): void {
  app.get(
    '/v1/operations/:id',
    {
      schema: {
        tags: ['operations'],
        summary: 'What became of a job, with its phases',
        params: z.object({ id: z.uuid() }),
        response: { 200: operationView },
      },
    },
    async (request) => {
      const operation = await parts.registry.getOperation(request.params.id);
      if (operation === undefined) throw new DormouseError('operation-not-found', `no operation ${request.params.id}`);
      return operation;
    },
  );
}
