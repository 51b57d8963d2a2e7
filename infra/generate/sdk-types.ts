/**
 * The types of the client, from the api's own description: every named schema of its answers, and the bodies it takes.
 * A keyword that has no type (a pattern, a bound) is left out; a schema this cannot express fails the generation.
 */
import { format } from 'prettier';
import { openapiDocument } from '../../api/description/openapi-document.ts';
import { nameIn, type Schema } from './json-schema.ts';

/** The description names answers; of these the body is named here. */
const namedBodies = { TemplateSpec: '/v1/templates', ExecSpec: '/v1/actors/{id}/exec' } as const;
/** Taken, not answered: of these the schema before defaults are filled in is meant. */
const taken: ReadonlySet<string> = new Set(['ActorSpec']);

const head = `/**
 * What the api takes and answers. Generated from its description: \`npm run generate\`.
 */
`;

export async function sdkTypes(): Promise<string> {
  const document = await openapiDocument();
  const schemas = (document.components?.schemas ?? {}) as Readonly<Record<string, Schema>>;
  const answers = Object.entries(schemas).flatMap(([name, schema]): [string, Schema][] => {
    if (name.endsWith('Input')) return [];
    return [[name, taken.has(name) ? (schemas[`${name}Input`] ?? schema) : schema]];
  });
  const bodies = Object.entries(namedBodies).map(([name, path]): [string, Schema] => {
    const operation = document.paths?.[path]?.post as unknown as { readonly requestBody: { content: Content } };
    return [name, operation.requestBody.content['application/json'].schema];
  });
  const declared = [...answers, ...bodies].sort(([a], [b]) => (a < b ? -1 : 1));
  return await format(head + declared.map(declaration).join('\n'), {
    parser: 'typescript',
    printWidth: 120,
    singleQuote: true,
  });
}

type Content = Readonly<Record<'application/json', { readonly schema: Schema }>>;

const declaration = ([name, schema]: [string, Schema]): string =>
  `${comment(schema)}export interface ${name} ${objectType(schema)}\n`;

const comment = ({ description }: Schema): string => (description === undefined ? '' : `/** ${description} */\n`);

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return nameIn(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' | ');
  switch (schema.type) {
    case 'array':
      return `readonly (${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return schema.properties === undefined ? recordType(schema) : objectType(schema);
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case undefined:
      return 'unknown';
    default:
      throw new Error(`no type for the schema ${JSON.stringify(schema)}`);
  }
}

const recordType = ({ additionalProperties }: Schema): string => {
  const value = typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown';
  return `Readonly<Record<string, ${value}>>`;
};

/** What may be absent may also be given as undefined, so that a caller need not leave it out. */
function objectType({ properties = {}, required = [] }: Schema): string {
  const members = Object.entries(properties).map(([name, schema]) => {
    const optional = !required.includes(name);
    const type = `${typeOf(schema)}${optional ? ' | undefined' : ''}`;
    return `${comment(schema)}readonly ${name}${optional ? '?' : ''}: ${type};`;
  });
  return `{\n${members.join('\n')}\n}`;
}
