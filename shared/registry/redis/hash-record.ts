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

/** Undefined when the hash does not exist. */
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
    throw new DormouseError('internal', `the registry's record ${key} cannot be read`, { cause, details: { key } });
  }
}
