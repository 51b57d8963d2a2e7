/** Templates in Redis: one hash each and an index of names. */
import { stretchOf } from '../../actor/namespace.ts';
import { templateRecordSchema, type TemplateRecord } from '../records.ts';
import type { Page, TemplateRegistry } from '../registry.ts';
import { translated, type RedisConnection } from './connection.ts';
import { boundsOf } from './lexical-bounds.ts';
import { decodeHash, encodeFields } from './hash-record.ts';
import { redisKeys } from './keys.ts';
import { requireMemory } from './life.ts';
import type { RunScript } from './scripts.ts';

export function templateRegistry(redis: RedisConnection, run: RunScript): TemplateRegistry {
  const getTemplate = async (name: string): Promise<TemplateRecord | undefined> => {
    const key = redisKeys.template(name);
    const record = decodeHash(templateRecordSchema, key, await translated(redis.hgetall(key)));
    if (record === undefined) await requireMemory(run);
    return record;
  };
  return {
    getTemplate,
    async listTemplates(limit, cursor, namespace): Promise<Page<TemplateRecord>> {
      const stretch = boundsOf(stretchOf(namespace), cursor);
      const names = await translated(redis.zrange(redisKeys.templates, ...stretch, 'BYLEX', 'LIMIT', 0, limit + 1));
      const shown = names.slice(0, limit);
      const records = await Promise.all(shown.map(getTemplate));
      const items = records.filter((record) => record !== undefined);
      const last = shown.at(-1);
      return names.length > limit && last !== undefined ? { items, nextCursor: last } : { items };
    },
    async createTemplate(record) {
      return (await run('createTemplate', record.name, ...encodeFields(record))) as 'created' | 'exists';
    },
    async updateTemplate(record, from) {
      const args = [record.name, JSON.stringify(record.revision), JSON.stringify(from)];
      return (await run('updateTemplate', ...args, ...encodeFields(record))) === 1;
    },
    async beginDeleteTemplate(name) {
      return (await run('beginDeleteTemplate', name, new Date().toISOString())) as 'deleting' | 'in-use' | 'absent';
    },
    async removeTemplate(name) {
      await run('removeTemplate', name);
    },
  };
}
