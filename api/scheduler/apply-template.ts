/**
 * Applies a template: a new one is prepared (images, first boot, golden) by a node; the same specification again changes
 * nothing, or tries once more if it had failed; another specification under the same name is `template-conflict`.
 */
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import type { TemplateRecord } from '../../shared/registry/records.ts';
import { revisionOf, type TemplateSpec } from '../../shared/template/template-spec.ts';
import type { ApiParts } from '../parts.ts';
import { sendJob } from './operations.ts';
import { chooseNode, refusal } from './placement.ts';

export interface AppliedTemplate {
  readonly record: TemplateRecord;
  readonly isNew: boolean;
}

export async function applyTemplate(parts: ApiParts, spec: TemplateSpec): Promise<AppliedTemplate> {
  const { registry } = parts;
  const revision = revisionOf(spec);
  const before = await registry.getTemplate(spec.name);
  if (before !== undefined) return applyAgain(parts, before, revision);
  const node = await nodeToPrepare(parts, spec);
  const now = new Date().toISOString();
  const record: TemplateRecord = { name: spec.name, revision, spec, state: 'preparing', since: now, createdAt: now };
  if ((await registry.createTemplate(record)) === 'exists') return applyTemplate(parts, spec);
  await orderPreparation(parts, record, node);
  return { record, isNew: true };
}

async function applyAgain(parts: ApiParts, before: TemplateRecord, revision: string): Promise<AppliedTemplate> {
  const { name, spec } = before;
  if (before.state === 'deleting') throw new DormouseError('state-conflict', `the template ${name} is being deleted`);
  if (before.revision !== revision) {
    throw new DormouseError('template-conflict', `${name} has another specification (revision ${before.revision})`);
  }
  if (before.state !== 'failed') return { record: before, isNew: false };
  const node = await nodeToPrepare(parts, spec);
  const { error: _error, ...kept } = before;
  const record: TemplateRecord = { ...kept, state: 'preparing', since: new Date().toISOString() };
  // When somebody else was faster, theirs is under way.
  if (await parts.registry.updateTemplate(record, ['failed'])) await orderPreparation(parts, record, node);
  return { record, isNew: false };
}

async function nodeToPrepare({ registry }: ApiParts, spec: TemplateSpec): Promise<string> {
  const choice = chooseNode(await registry.listNodes(), { memoryMiB: spec.memoryMiB, runtime: undefined });
  if (choice.node !== undefined) return choice.node.id;
  throw refusal(choice.unfit);
}

async function orderPreparation(parts: ApiParts, record: TemplateRecord, node: string): Promise<void> {
  const { name, revision } = record;
  try {
    await sendJob(parts, { kind: 'prepare-template', target: name, node, subject: { template: name, revision } });
  } catch (error) {
    const failed: TemplateRecord = { ...record, state: 'failed', error: serializeError(error) };
    await parts.registry.updateTemplate(failed, ['preparing']);
    throw error;
  }
}
