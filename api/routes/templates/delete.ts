/**
 * DELETE /v1/templates/{name}: refused while actors use it or it is being prepared. Its descriptor goes first, so that a
 * deletion that is cut off leaves garbage and no half template; repeating it goes on.
 */
import { z } from 'zod';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import { qualify } from '../../../shared/actor/namespace.ts';
import type { ObjectStore } from '../../../shared/object-store/object-store.ts';
import type { TemplateRecord } from '../../../shared/registry/records.ts';
import { objectKeys } from '../../../shared/snapshot/object-keys.ts';
import type { ApiApp, RouteParts } from '../../app.ts';
import { templateParams } from '../../schemas/template.ts';

export function deleteRoute(app: ApiApp, parts: RouteParts): void {
  app.delete(
    '/v1/templates/:name',
    {
      schema: {
        tags: ['templates'],
        summary: 'Delete a template that no actor uses',
        params: templateParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const record = await beginDelete(parts, qualify(request.namespace, request.params.name));
      await removeObjects(parts.store, record);
      await parts.registry.removeTemplate(record.name);
      return reply.code(204).send(null);
    },
  );
}

async function beginDelete({ registry }: RouteParts, name: string): Promise<TemplateRecord> {
  const record = await registry.getTemplate(name);
  if (record?.state === 'preparing') {
    throw new DormouseError('template-not-ready', `${name} is being prepared: delete it when that has ended`);
  }
  const outcome = record === undefined ? 'absent' : await registry.beginDeleteTemplate(name);
  if (outcome === 'in-use') throw new DormouseError('template-in-use', `actors use the template ${name}`);
  if (record === undefined || outcome === 'absent')
    throw new DormouseError('template-not-found', `no template ${name}`);
  return record;
}

async function removeObjects(store: ObjectStore, { name, revision }: TemplateRecord): Promise<void> {
  await store.delete(objectKeys.template(name, revision));
  const keys: string[] = [];
  for await (const { key } of store.list(objectKeys.templateFolder(name, revision))) keys.push(key);
  for (const key of keys) await store.delete(key);
}
