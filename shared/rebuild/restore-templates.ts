/** The first part of a rebuild: every template whose descriptor stands in the store is ready. */
import { toDormouseError } from '../errors/dormouse-error.ts';
import type { TemplateRecord } from '../registry/records.ts';
import type { TemplateDescriptor } from '../template/golden.ts';
import { readDescriptor } from '../template/stored-descriptor.ts';
import type { RebuildRun } from './rebuild-run.ts';

/** Guest memory by `<template>/<revision>`: what an actor's record needs of its template. */
export type TemplateMemory = ReadonlyMap<string, number>;

export async function restoreTemplates(run: RebuildRun): Promise<TemplateMemory> {
  const { store, signal } = run;
  const memory = new Map<string, number>();
  const newest = new Map<string, TemplateDescriptor>();
  for await (const { key } of store.list('templates/', { signal })) {
    const [, name = '', revision = '', file, ...more] = key.split('/');
    if (file !== 'template.json' || more.length > 0) continue;
    const descriptor = await readOrCount(run, name, revision);
    if (descriptor === undefined) continue;
    memory.set(`${name}/${revision}`, descriptor.spec.memoryMiB);
    const other = newest.get(name);
    if (other === undefined || other.preparedAt < descriptor.preparedAt) newest.set(name, descriptor);
  }
  for (const descriptor of newest.values()) {
    if (await restoreTemplate(run, descriptor)) await run.count('templates');
  }
  return memory;
}

async function readOrCount(run: RebuildRun, name: string, revision: string): Promise<TemplateDescriptor | undefined> {
  try {
    return await readDescriptor(run.store, name, revision, { signal: run.signal });
  } catch (error) {
    const { code } = toDormouseError(error);
    if (code !== 'snapshot-corrupt' && code !== 'snapshot-unsupported') throw error;
    run.log.error({ err: error, template: name, revision }, 'template not restored');
    await run.count('damaged');
    return undefined;
  }
}

/** False when the registry had it, or knows better: it is being prepared, or deleted, in another revision. */
async function restoreTemplate({ registry }: RebuildRun, descriptor: TemplateDescriptor): Promise<boolean> {
  const { spec, revision, preparedAt } = descriptor;
  const record: TemplateRecord = {
    ...{ name: spec.name, revision, spec, descriptor },
    ...{ state: 'ready', since: new Date().toISOString(), createdAt: preparedAt },
  };
  if ((await registry.createTemplate(record)) === 'created') return true;
  return registry.updateTemplate(record, ['preparing', 'failed']);
}
