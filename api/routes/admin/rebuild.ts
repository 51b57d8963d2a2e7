/**
 * POST /v1/admin/rebuild: reads templates, actors and generations back from the store. The platform does this by itself
 * when Redis was restarted, emptied or replaced; this is for an operator who wants to be sure. It is safe at any time.
 */
import { z } from 'zod';
import type { Operation } from '../../../shared/registry/records.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { replyWithOperation } from '../../http/operation-reply.ts';
import { preferredWaitMs } from '../../http/prefer.ts';
import { operationView } from '../../schemas/operation.ts';
import { beginRebuild } from '../../scheduler/rebuild-registry.ts';

export function rebuildRoute(app: ApiApp, parts: RouteParts): void {
  let underWay: Promise<Operation> | undefined;
  const forget = (): void => void (underWay = undefined);
  const begin = async (): Promise<Operation> => {
    const { operation, ended } = await beginRebuild(parts, parts.stopping);
    ended.then(forget, (error: unknown) => {
      forget();
      parts.log.warn({ err: error }, 'the end of a rebuild could not be told');
    });
    return operation;
  };
  /** Whoever asks while one is under way gets that one. */
  const join = (): Promise<Operation> => {
    underWay ??= begin();
    underWay.catch(forget);
    return underWay;
  };
  app.post(
    '/v1/admin/rebuild',
    {
      schema: {
        tags: ['admin'],
        summary: 'Read the registry back from the store; with `Prefer: wait=N` answers when it is done',
        body: z.strictObject({}).nullish(),
        response: { 200: operationView, 202: operationView },
      },
    },
    async (request, reply) => {
      const operation = await join();
      return replyWithOperation(parts, reply, operation, preferredWaitMs(request.headers.prefer));
    },
  );
}
