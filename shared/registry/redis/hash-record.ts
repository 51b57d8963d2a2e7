/** Records as Redis hashes: each field is the JSON of its value, so that scripts can change one and compare another. */
import type { z } from 'zod';
import { DormouseError } from '../../errors/dormouse-error.ts';

/** Field, value, field, value, …; fields that are undefined are left out. */
export function encodeFields(record: object): string[] {
  return Object.entries(record).flatMap(([field, value]) =>
    value === undefined ? [] : [field, JSON.stringify(value)],
  );
}

/** A hash as a script returns it: field, value, field, value, … */
export function hashOf(flat: readonly string[]): Record<string, string> {
  const hash: Record<string, string> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) hash[flat[index] ?? ''] = flat[index + 1] ?? '';
  return hash;
}

/**
 * A hash that only our own scripts write, from records that were checked before: its fields are read, and those that must
 * be there are, but what stands in each is not checked again. It is read several times for each wake. Undefined when the
 * hash does not exist.
 */
export function decodeOwnHash<Schema extends z.ZodObject>(
  schema: Schema,
  key: string,
  hash: Readonly<Record<string, string>>,
): z.infer<Schema> | undefined {
  const { shape } = schema;
  const known = Object.keys(hash).filter((field) => Object.hasOwn(shape, field));
  if (known.length === 0) return undefined;
  try {
    // One text for the parser: it costs a third of a parse for each field.
    const record = JSON.parse(`{${known.map((field) => `"${field}":${hash[field] ?? ''}`).join()}}`) as object;
    const missing = requiredFields(schema).filter((field) => !Object.hasOwn(record, field));
    if (missing.length > 0) throw new Error(`without ${missing.join()}`);
    return record as z.infer<Schema>;
  } catch (cause) {
    throw unreadable(key, cause);
  }
}

const required = new WeakMap<z.ZodObject, readonly string[]>();

function requiredFields(schema: z.ZodObject): readonly string[] {
  const before = required.get(schema);
  if (before !== undefined) return before;
  const shape: Readonly<Record<string, z.ZodType>> = schema.shape;
  const fields = Object.keys(shape).filter((field) => shape[field]?.safeParse(undefined).success !== true);
  required.set(schema, fields);
  return fields;
}

/** A hash that another version of us may have written, or that is read seldom. Undefined when it does not exist. */
export function decodeHash<Schema extends z.ZodType>(
  schema: Schema,
  key: string,
  hash: Readonly<Record<string, string>>,
): z.infer<Schema> | undefined {
  if (Object.keys(hash).length === 0) return undefined;
  try {
    const fields = Object.entries(hash).map(([field, value]) => [field, JSON.parse(value) as unknown]);
    return schema.parse(Object.fromEntries(fields));
  } catch (cause) {
    throw unreadable(key, cause);
  }
}

const unreadable = (key: string, cause: unknown): DormouseError =>
  new DormouseError('internal', `the registry's record ${key} cannot be read`, { cause, details: { key } });
