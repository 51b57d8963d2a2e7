/** GET /errors/{code}: what the `type` of a problem document points at. */
import { z } from 'zod';
import { errorCodes, isErrorCode } from '../../../shared/errors/codes.ts';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ApiApp } from '../../app.ts';

export function errorRoute(app: ApiApp): void {
  app.get(
    '/errors/:code',
    {
      schema: {
        tags: ['errors'],
        summary: 'What an error code means',
        params: z.object({ code: z.string().max(64) }),
        response: {
          200: z.object({
            code: z.string(),
            status: z.number(),
            retryable: z.boolean(),
            title: z.string(),
            nextStep: z.string(),
          }),
        },
      },
    },
    (request) => {
      const { code } = request.params;
      if (!isErrorCode(code)) throw new DormouseError('route-not-found', `no error code ${code}`);
      return { code, ...errorCodes[code] };
    },
  );
}
