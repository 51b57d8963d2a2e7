/** A JSON schema as a Markdown table of its fields, those of nested objects behind a dot. */
import { nameIn, type Schema } from './json-schema.ts';

export function fieldTable(schema: Schema): string {
  const rows = fieldsOf(schema, '').map(({ name, type, about }) => `| \`${name}\` | ${type} | ${about} |`);
  return rows.length === 0 ? '' : ['| field | type | |', '|---|---|---|', ...rows].join('\n');
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly about: string;
}

function fieldsOf({ properties = {}, required = [] }: Schema, prefix: string): Field[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const name = `${prefix}${key}`;
    const isOptional = !required.includes(key);
    const field = { name: `${name}${isOptional ? '?' : ''}`, type: typeWords(schema), about: aboutWords(schema) };
    return [field, ...nestedIn(schema, name)];
  });
}

function nestedIn(schema: Schema, name: string): Field[] {
  if (schema.properties !== undefined) return fieldsOf(schema, `${name}.`);
  if (schema.items?.properties !== undefined) return fieldsOf(schema.items, `${name}[].`);
  return [];
}

/** In one table cell: a bar would end it, and `<` begin markup. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');

export function typeWords(schema: Schema): string {
  const { $ref, enum: values, anyOf, items, type } = schema;
  if ($ref !== undefined) return `[${nameIn($ref)}](#${nameIn($ref).toLowerCase()})`;
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeWords))].join(' or ');
  if (type === 'array') return `list of ${typeWords(items ?? {})}`;
  if (type === 'object' && schema.properties === undefined) return `map of ${mapWords(schema)}`;
  return type ?? 'anything';
}

const mapWords = ({ additionalProperties: value }: Schema): string =>
  typeof value === 'object' ? typeWords(value) : 'anything';

export function aboutWords(schema: Schema): string {
  const { description, minimum, maximum } = schema;
  const bounds = [
    ...(minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? [] : [`at most ${maximum}`]),
  ].join(', ');
  const fallback = schema.default === undefined ? '' : `default \`${JSON.stringify(schema.default)}\``;
  return cell([description ?? '', bounds, fallback].filter((part) => part !== '').join('; '));
}
