/** The API's description, made from the schemas that check it: OpenAPI 3.1 at /openapi.json. */
import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { ApiApp } from '../app.ts';
import { problemSchema } from '../schemas/problem.ts';

export const apiVersion = '0.1.0';

const description = [
  'Actors: named, stateful programs in micro-VMs that sleep in an object store until they are called.',
  'An actor is called at `/v1/actors/{id}/invoke/…` or at `http://{id}.<actor domain>/…`, with any method; WebSockets too.',
  '`Dormouse-Wake: never` answers 409 instead of waking it. Answers carry `Server-Timing`, `Dormouse-Start` and `Dormouse-Epoch`.',
  'Where the API requires a token, an actor that has an `Authorization` of its own is called with `Dormouse-Token` instead.',
  'A token has scopes: `invoke` calls actors, `read` reads what the API answers to GET, `admin` does all of it.',
  'Actors and templates are in a namespace: that of the token, or the one that `Dormouse-Namespace` names, or `default`; `*` lists all. By host name: `http://{id}.{namespace}.<actor domain>/…`.',
  'Refusals are RFC 9457 problem documents. POST honours `Idempotency-Key`.',
].join('\n\n');

export async function describeApi(app: ApiApp): Promise<void> {
  app.addHook('onRoute', ({ schema }) => {
    if (schema === undefined || ('hide' in schema && schema.hide)) return;
    schema.response = { ...(schema.response as object | undefined), default: problemSchema };
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Dormouse', version: apiVersion, description },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          besideAuthorization: { type: 'apiKey', in: 'header', name: 'Dormouse-Token' },
        },
      },
      security: [{ token: [] }, { besideAuthorization: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}
