/** GET /openapi.json, with the one operation that is served ahead of the framework added. */
import type { ApiApp } from '../../app.ts';

const methods = ['get', 'put', 'post', 'delete', 'patch'] as const;

export function openapiRoute(app: ApiApp): void {
  app.get('/openapi.json', { schema: { hide: true } }, () => {
    const document = app.swagger();
    return { ...document, paths: { ...document.paths, '/v1/actors/{id}/invoke/{path}': invokePath() } };
  });
}

function invokePath(): Record<string, unknown> {
  const inPath = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } });
  const wake = { name: 'Dormouse-Wake', in: 'header', schema: { const: 'never' } };
  const operation = (method: string) => ({
    tags: ['actors'],
    operationId: `invoke-${method}`,
    summary: 'Call an actor; wakes it if it sleeps',
    parameters: [inPath('id'), inPath('path'), wake],
    responses: { default: { description: "The actor's own answer, or a problem document" } },
  });
  return Object.fromEntries(methods.map((method) => [method, operation(method)]));
}
