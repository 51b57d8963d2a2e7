/** GET /metrics: what this process counts (shared/telemetry/metrics.ts). Open to the machine itself (plugins/access.ts). */
import type { ApiApp, RouteParts } from '../../app.ts';

export const metricsPath = '/metrics';

export function metricsRoute(app: ApiApp, { meters }: RouteParts): void {
  app.get(
    metricsPath,
    { schema: { tags: ['health'], summary: 'Metrics of this process, in the format of Prometheus' } },
    async (_request, reply) => reply.type(meters.contentType).send(await meters.text()),
  );
}
