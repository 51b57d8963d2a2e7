/** docs/api.md, made from the api's own description: every route, what it takes, answers and refuses, and who may call it. */
import { errorCodesOf, wakes, wakingErrors } from '../../api/description/route-errors.ts';
import { openapiDocument } from '../../api/description/openapi-document.ts';
import { scopeOfRoute } from '../../api/description/route-scope.ts';
import { errorCodes, type ErrorCode } from '../../shared/errors/codes.ts';
import { nameIn, type Schema } from './json-schema.ts';
import { aboutWords, fieldTable, typeWords } from './schema-table.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}
type Content = Readonly<Record<string, { readonly schema?: Schema }>>;
interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>;
}
interface Route {
  readonly path: string;
  readonly methods: readonly string[];
  readonly operation: Operation;
}

const head = `# HTTP API

<!-- Generated from the schemas of api/: \`npm run generate\`. -->

The same as a machine reads it is at \`/openapi.json\`, and drawn at \`/docs\`, of every api. Instants are ISO 8601 in UTC, durations end
in \`Ms\`, sizes in \`Bytes\` or \`MiB\`; \`epoch\` reads \`"<incarnation>.<counter>"\`. A field or parameter with \`?\` may be left out. Lists
come in pages where they take \`cursor\`: \`nextCursor\` of one page asks for the next.

- **Who may call.** Where the api asks for tokens ([security.md](security.md)), a call carries \`Authorization: Bearer <token>\`, or
  \`Dormouse-Token\` where an actor has an \`Authorization\` of its own. The scope that is needed stands beside each route; \`admin\` includes the others.
- **Errors** are problem documents (RFC 9457) with a stable \`code\`; [errors.md](errors.md) says what each means. Beside its own codes
  any route may answer \`invalid-input\`, \`unauthorized\`, \`forbidden\`, \`rate-limited\`, \`registry-unavailable\`, \`store-unavailable\`,
  \`shutting-down\` and \`internal\`; one that takes a body also \`payload-too-large\` and \`unsupported-media-type\`.
- **What wakes an actor** (calls, programs, files) may also answer ${codeList(wakingErrors)}.
- **\`Idempotency-Key\`** on a POST: the same key and body again get the same answer for a day, and the work is done once; with another body
  the answer is \`idempotency-key-reused\`. New tokens and webhooks are the exception, as their answers have a secret.
- **\`Prefer: wait=N\`** on what starts a job: answers when it is done, or after N seconds as it stands.
- **\`X-Request-Id\`** is in every answer and in the log.
`;

/** Tags in the order of the reference, with what stands above their routes. */
const titles: Readonly<Record<string, string>> = {
  templates: 'Templates',
  actors: 'Actors',
  inside: 'Inside an actor',
  operations: 'Operations',
  nodes: 'Nodes',
  events: 'Events and webhooks',
  tokens: 'Tokens',
  admin: 'The platform as a whole',
  health: 'Health and metrics',
  errors: 'Errors',
};

export async function apiReference(): Promise<string> {
  const { paths = {}, components } = await openapiDocument();
  const routes = routesOf(paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>);
  const untitled = routes.find(({ operation }) => titles[tagOf(operation)] === undefined);
  if (untitled !== undefined) throw new Error(`the reference has no title for the tag of ${untitled.path}`);
  const sections = Object.entries(titles).flatMap(([tag, title]) => [
    `## ${title}\n`,
    ...routes.filter(({ operation }) => tagOf(operation) === tag).map(routeSection),
  ]);
  const schemas = (components?.schemas ?? {}) as Readonly<Record<string, Schema>>;
  return [head, ...sections, '## Schemas\n', ...schemaSections(schemas)].join('\n');
}

/** Of what is taken, the schema before defaults are filled in is meant. */
function schemaSections(schemas: Readonly<Record<string, Schema>>): string[] {
  const names = Object.keys(schemas).filter((name) => !name.endsWith('Input'));
  return names.sort().map((name) => {
    const schema = (name.endsWith('Spec') ? schemas[`${name}Input`] : undefined) ?? schemas[name] ?? {};
    return `### ${name}\n\n${sentence(schema.description)}${fieldTable(schema)}\n`;
  });
}

const tagOf = ({ tags = [] }: Operation): string => tags[0] ?? '';
const sentence = (text: string | undefined): string => (text === undefined ? '' : `${text}.\n\n`);

/** What one path answers to several methods in the same way is one route. */
function routesOf(paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>): Route[] {
  return Object.entries(paths).flatMap(([path, operations]) => {
    const all = Object.entries(operations);
    const [first] = all;
    if (path.includes('/invoke/') && first !== undefined) {
      return [{ path, methods: all.map(([method]) => method), operation: first[1] }];
    }
    return all.map(([method, operation]) => ({ path, methods: [method], operation }));
  });
}

function routeSection({ path, methods, operation }: Route): string {
  const [method = ''] = methods;
  const names = methods.map((name) => name.toUpperCase()).join('`, `');
  const parts = [
    `### \`${names} ${path}\``,
    `${operation.summary ?? ''}. ${scopeWords(method, path)}`,
    parameterTable(operation.parameters ?? []),
    bodyWords(operation.requestBody?.content),
    answerWords(operation.responses),
    errorWords(errorCodesOf(method, path), wakes(path)),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function errorWords(codes: readonly ErrorCode[], isWaking: boolean): string {
  const own = codes.length > 0 ? [codeList(codes)] : [];
  const parts = isWaking ? ['those of [what wakes an actor](#http-api)', ...own] : own;
  return parts.length === 0 ? '' : `Errors: ${parts.join(', ')}.`;
}

function codeList(codes: readonly ErrorCode[]): string {
  return codes.map((code) => `\`${code}\` (${errorCodes[code].status})`).join(', ');
}

function scopeWords(method: string, path: string): string {
  const scope = scopeOfRoute(method, path);
  return scope === undefined ? 'Needs no token.' : `Scope: \`${scope}\`.`;
}

function parameterTable(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return '';
  const inOrder = parameters.toSorted((a, b) => Number(b.in === 'path') - Number(a.in === 'path'));
  const rows = inOrder.map(({ name, in: place, required, description, schema = {} }) => {
    const { description: _same, ...rest } = schema;
    const about = aboutWords({ ...rest, ...(description !== undefined && { description }) });
    return `| \`${name}${required === true ? '' : '?'}\` | ${place} | ${typeWords(schema)} | ${about} |`;
  });
  return ['| parameter | in | type | |', '|---|---|---|---|', ...rows].join('\n');
}

function bodyWords(content: Content | undefined): string {
  const given = content?.['application/json']?.schema;
  // One that may be left out is described as an object or nothing.
  const schema = given?.anyOf?.find(({ properties }) => properties !== undefined) ?? given;
  if (schema === undefined) return '';
  if (schema.$ref !== undefined) return `Body: ${typeWords(schema)}.`;
  const table = fieldTable(schema);
  return table === '' ? '' : `Body:\n\n${table}`;
}

function answerWords(responses: Operation['responses']): string {
  const answers = Object.entries(responses).flatMap(([status, { description, content }]) => {
    if (status === 'default') return [];
    const [type, body] = Object.entries(content ?? {})[0] ?? [];
    return [`\`${status}\` ${answerOf(type, body?.schema)}${ownWords(description)}`];
  });
  if (answers.length > 0) return `Answers: ${answers.join('; ')}.`;
  const { description } = responses['default'] ?? {};
  return description === undefined || ownWords(description) === '' ? '' : `Answers: ${description}.`;
}

/** What the framework says where nobody said anything. */
const ownWords = (description: string | undefined): string =>
  description === undefined || description === 'Default Response' ? '' : ` (${description})`;

function answerOf(type: string | undefined, schema: Schema | undefined): string {
  if (schema === undefined || schema.type === 'null') return 'without a body';
  const items = schema.properties?.['items']?.items?.$ref;
  if (items !== undefined) return `\`{items, nextCursor?}\` of [${nameIn(items)}](#${nameIn(items).toLowerCase()})`;
  const words = schema.properties === undefined ? typeWords(schema) : fieldNames(schema);
  return type === 'application/json' ? words : `${words}, as \`${type ?? ''}\``;
}

const fieldNames = ({ properties = {} }: Schema): string => `\`{${Object.keys(properties).join(', ')}}\``;
