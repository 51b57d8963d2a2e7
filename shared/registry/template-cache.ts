/** Template records by revision. A ready one never changes, so it is read once; one that is not ready is not kept. */
import { DormouseError } from '../errors/dormouse-error.ts';
import type { ActorRecord, TemplateRecord } from './records.ts';
import type { Registry } from './registry.ts';

export interface TemplateCache {
  /** The template that the actor was made from. Throws `template-not-found` when it is gone. */
  of(record: ActorRecord): Promise<TemplateRecord>;
}

/** Descriptors are some kilobytes each. */
const kept = 1000;

export function createTemplateCache(registry: Pick<Registry, 'getTemplate'>): TemplateCache {
  const ready = new Map<string, TemplateRecord>();
  return {
    async of({ id, template, revision }) {
      const key = `${template}/${revision}`;
      const before = ready.get(key);
      if (before !== undefined) return before;
      const record = await registry.getTemplate(template);
      if (record?.revision !== revision) {
        throw new DormouseError('template-not-found', `the template ${template} of the actor ${id} is gone`);
      }
      if (record.state === 'ready') {
        const [oldest] = ready.keys();
        if (ready.size >= kept && oldest !== undefined) ready.delete(oldest);
        ready.set(key, record);
      }
      return record;
    },
  };
}
