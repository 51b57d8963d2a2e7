/** GET /v1/operations/{id} */
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { Operation } from '../../../shared/registry/records.ts';
import type { Caller } from '../../access/namespace.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { namespaceOfOperation, operationView, viewOfOperation } from '../../schemas/operation.ts';

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
      const isForCaller = operation !== undefined && isOf(request.namespace, request.caller, operation);
      if (!isForCaller) throw new DormouseError('operation-not-found', `no operation ${request.params.id}`);
      return viewOfOperation(operation);
    },
  );
}

/** The platform's own are for whoever is bound to no namespace. */
function isOf(namespace: string, caller: Caller | undefined, operation: Operation): boolean {
  const its = namespaceOfOperation(operation);
  return its === undefined ? caller?.boundTo === undefined : its === namespace;
}
