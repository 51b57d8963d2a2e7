/** What stands beside the routes by hand (errors, scopes) is about routes that there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openapiDocument } from './openapi-document.ts';
import { errorCodesOf, routesWithErrors } from './route-errors.ts';
import { scopeOfRoute } from './route-scope.ts';

test('every route says its errors, and no route that is gone does', async () => {
  const { paths = {} } = await openapiDocument();
  const described = Object.entries(paths).flatMap(([path, operations = {}]) =>
    Object.keys(operations).map((method) => [method, path] as const),
  );
  for (const [method, path] of described) errorCodesOf(method, path);
  const names = new Set(described.map(([method, path]) => `${method} ${path}`));
  assert.deepEqual(
    routesWithErrors.filter((name) => !names.has(name)),
    [],
  );
});

test('scopes are those that guard the routes', () => {
  const scopes = [
    ['get', '/healthz', undefined],
    ['get', '/v1/actors/{id}', 'read'],
    ['post', '/v1/actors/{id}/suspend', 'admin'],
    ['get', '/v1/actors/{id}/files', 'admin'],
    ['get', '/v1/actors/{id}/invoke/{path}', 'invoke'],
    ['get', '/v1/webhooks/{id}', 'admin'],
  ] as const;
  for (const [method, path, scope] of scopes) assert.equal(scopeOfRoute(method, path), scope, `${method} ${path}`);
});
