/**
 * Which templates a namespace may make actors of: its own, and those of `default`, which all share. Its own goes first
 * where both have a name. Only its own can be applied or deleted there.
 */
import { defaultNamespace, namespaceOf, qualify } from '../../shared/actor/namespace.ts';
import type { TemplateRecord } from '../../shared/registry/records.ts';
import type { Page, Registry } from '../../shared/registry/registry.ts';
import { everyNamespace } from '../access/namespace.ts';

type Templates = Pick<Registry, 'getTemplate' | 'listTemplates'>;

export async function findTemplate(
  registry: Templates,
  namespace: string,
  name: string,
): Promise<TemplateRecord | undefined> {
  const own = await registry.getTemplate(qualify(namespace, name));
  return own === undefined && namespace !== defaultNamespace ? registry.getTemplate(name) : own;
}

/** Its own in order of names, then the shared ones. */
export async function listTemplates(
  registry: Templates,
  namespace: string,
  limit: number,
  cursor: string | undefined,
): Promise<Page<TemplateRecord>> {
  if (namespace === everyNamespace) return registry.listTemplates(limit, cursor);
  if (namespace === defaultNamespace) return registry.listTemplates(limit, cursor, namespace);
  const isPastOwn = cursor !== undefined && namespaceOf(cursor) !== namespace;
  if (isPastOwn) return registry.listTemplates(limit, cursor, defaultNamespace);
  const own = await registry.listTemplates(limit, cursor, namespace);
  const last = own.items.at(-1);
  if (own.nextCursor !== undefined) return own;
  if (own.items.length === limit && last !== undefined) return { items: own.items, nextCursor: last.name };
  const shared = await registry.listTemplates(limit - own.items.length, undefined, defaultNamespace);
  return { ...shared, items: [...own.items, ...shared.items] };
}
