/** GET /healthz: this process answers. */
import { z } from 'zod';
import type { ApiApp } from '../../app.ts';

export function liveRoute(app: ApiApp): void {
  app.get(
    '/healthz',
    { schema: { tags: ['health'], summary: 'Alive', response: { 200: z.object({ status: z.literal('ok') }) } } },
    () => ({ status: 'ok' as const }),
  );
}
