/**
 * The api's description without an api: the routes are registered and nothing is opened, so that code and pages can be
 * generated from it. A route that uses a part while it is registered is a defect, and is told by name.
 */
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { RouteParts } from '../app.ts';
import { describeApi } from '../plugins/describe.ts';
import { registerRoutes } from '../routes/routes.ts';

export async function openapiDocument(): Promise<OpenAPIV3_1.Document> {
  const app = Fastify<Server, IncomingMessage, ServerResponse>().withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await describeApi(app);
  registerRoutes(app, untouched);
  const answer = await app.inject({ method: 'GET', url: '/openapi.json' });
  await app.close();
  return answer.json<OpenAPIV3_1.Document>();
}

/** A route may take its parts apart while it is registered, and use none of them. */
const untouched = new Proxy({} as RouteParts, {
  get: (_parts, part) =>
    new Proxy(
      {},
      {
        get(_part, name) {
          throw new Error(`a route uses ${String(part)}.${String(name)} while it is registered`);
        },
      },
    ),
});
