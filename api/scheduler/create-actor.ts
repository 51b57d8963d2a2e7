/**
 * Creates an actor. Nothing boots: its generation 0 is the template's golden. The `created` entry of its log goes first,
 * create-only, and is what the user may rely on; the registry is told afterwards. Should this process die in between, the
 * same request finds the entry and finishes the work. The log of a deleted actor of the same id is continued.
 *
 * Failures: `actor-exists`, `template-not-found`, `template-not-ready`, `template-failed`.
 */
import { randomUUID } from 'node:crypto';
import { qualify } from '../../shared/actor/namespace.ts';
import { recordFromLog } from '../../shared/actor/restored-record.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ActorRecord, TemplateRecord } from '../../shared/registry/records.ts';
import { appendEntry, readHead, type LogEntry, type LogHead } from '../../shared/snapshot/actor-log.ts';
import { canonicalJson } from '../../shared/template/template-spec.ts';
import type { RouteParts } from '../app.ts';
import type { ActorSpec } from '../schemas/actor.ts';
import { newActorId } from './actor-id.ts';
import { findTemplate } from './visible-templates.ts';

type Parts = Pick<RouteParts, 'registry' | 'store'>;
type Created = Extract<LogEntry, { kind: 'created' }>;

export async function createActor(parts: Parts, namespace: string, spec: ActorSpec): Promise<ActorRecord> {
  const template = await readyTemplate(parts, namespace, spec.template);
  const id = qualify(namespace, spec.id ?? newActorId());
  if ((await parts.registry.getActor(id)) !== undefined) throw exists(id);
  const before = await readHead(parts.store, id);
  const { created, head, isNew } = await commitCreated(parts, id, spec, template, before);
  const record = recordFromLog(created, head, template.spec.memoryMiB, 'created');
  const outcome = await parts.registry.createActor(record);
  if (outcome === 'template-gone') {
    if (isNew) await appendEntry(parts.store, id, head.seq, { kind: 'deleted', uid: created.uid });
    throw new DormouseError('template-not-found', `the template ${spec.template} was deleted meanwhile`);
  }
  if (outcome === 'exists' || !isTheSame(created, head, spec, template)) throw exists(id);
  return record;
}

/** The log says whether the id is taken; a registry that has forgotten the actor is told of it again. */
async function commitCreated(
  { store }: Parts,
  id: string,
  spec: ActorSpec,
  template: TemplateRecord,
  head: LogHead,
): Promise<{ readonly created: Created; readonly head: LogHead; readonly isNew: boolean }> {
  if (head.created !== undefined) {
    if (head.created.revision !== template.revision) throw exists(id);
    return { created: head.created, head, isNew: false };
  }
  const { revision } = template;
  const { labels, coldStart } = spec;
  const entry = {
    kind: 'created',
    uid: randomUUID(),
    id,
    template: template.name,
    revision,
    labels,
    coldStart,
  } as const;
  const result = await appendEntry(store, id, head.seq, entry);
  if (result.outcome === 'lost' || result.entry.kind !== 'created') throw exists(id);
  const created = result.entry;
  return { created, head: { seq: created.seq, last: created, created, snapshot: undefined }, isNew: true };
}

async function readyTemplate({ registry }: Parts, namespace: string, name: string): Promise<TemplateRecord> {
  const template = await findTemplate(registry, namespace, name);
  if (template === undefined || template.state === 'deleting') {
    throw new DormouseError('template-not-found', `no template ${name}`);
  }
  if (template.state === 'ready') return template;
  if (template.state === 'preparing') throw new DormouseError('template-not-ready', `${name} is being prepared`);
  const words = template.error?.message ?? 'no reason was kept';
  throw new DormouseError('template-failed', `${name} could not be prepared: ${words}`, {
    details: { error: template.error },
  });
}

/** Whether the entry is what this request would have written: then it was cut off before, and is finished now. */
function isTheSame(created: Created, head: LogHead, spec: ActorSpec, template: TemplateRecord): boolean {
  const wanted = { template: template.name, labels: spec.labels, coldStart: spec.coldStart };
  const found = { template: created.template, labels: created.labels, coldStart: created.coldStart };
  return head.seq === created.seq && canonicalJson(wanted) === canonicalJson(found);
}

const exists = (id: string): DormouseError => new DormouseError('actor-exists', `an actor ${id} exists`);
