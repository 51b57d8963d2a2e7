/**
 * Namespaces: whose an actor or a template is. Whatever is kept of one (registry, queues, store, worker) goes by its
 * qualified name; only the api's edge knows the name and the namespace apart. Those of `default` are their names, as they
 * were before there were namespaces; all others begin with a dash, which no name does. So a qualified name is never
 * another one's, and each namespace is one stretch of a list in order: no look at one of them passes through another.
 *
 *   alice in default ──► alice          alice in team ──► -team.alice
 */
import { z } from 'zod';
import { actorIdSchema } from './names.ts';

export const namespaceSchema = actorIdSchema;
export const defaultNamespace = 'default';

/** A name on its own, or behind its namespace; a dot is in neither. */
export const qualifiedNameSchema = z
  .string()
  .regex(/^(-[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a name, perhaps qualified');

const prefixOf = (namespace: string): string => (namespace === defaultNamespace ? '' : `-${namespace}.`);

/** The name must have been checked: one that is qualified already would be another namespace's. */
export const qualify = (namespace: string, name: string): string => prefixOf(namespace) + name;

export const namespaceOf = (qualified: string): string =>
  qualified.startsWith('-') ? qualified.slice(1, qualified.indexOf('.')) : defaultNamespace;

export const nameOf = (qualified: string): string =>
  qualified.startsWith('-') ? qualified.slice(qualified.indexOf('.') + 1) : qualified;

/** Where the qualified names of a namespace that begin so lie among all: from the first, up to and without the end. */
export function stretchOf(namespace: string | undefined, namesBeginWith = ''): readonly [first: string, end: string] {
  if (namespace === undefined && namesBeginWith === '') return ['', '\x7f'];
  const prefix = prefixOf(namespace ?? defaultNamespace) + namesBeginWith;
  // Of the characters that a name may have, 0 is the first: what is before it belongs to other namespaces.
  return prefix === '' ? ['0', '\x7f'] : [prefix, `${prefix}\x7f`];
}

/** A text as those of the namespace may read it: names without what qualifies them. */
export function inPublicWords(text: string, namespace: string): string {
  if (namespace === defaultNamespace || !namespaceSchema.safeParse(namespace).success) return text;
  return text.replaceAll(new RegExp(`(?<![a-z0-9-])-${namespace}\\.(?=[a-z0-9])`, 'g'), '');
}
