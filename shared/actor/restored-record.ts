/** An actor's record as its log and its template tell it: what the registry should say when it knows nothing else. */
import type { ActorRecord } from '../registry/records.ts';
import type { LogEntry, LogHead } from '../snapshot/actor-log.ts';
import { latestEpoch, type Epoch } from './epoch.ts';
import { headUpdate } from './fall-back.ts';

type Created = Extract<LogEntry, { kind: 'created' }>;

export function recordFromLog(created: Created, head: LogHead, memoryMiB: number, reason: string): ActorRecord {
  const record: ActorRecord = {
    id: created.id,
    uid: created.uid,
    template: created.template,
    revision: created.revision,
    state: 'suspended',
    since: new Date().toISOString(),
    createdAt: created.at,
    labels: created.labels,
    memoryMiB,
    coldStart: created.coldStart,
    generation: 0,
    generationSeq: created.seq,
    logSeq: created.seq,
    durableAt: created.at,
    reason,
  };
  return { ...record, ...headUpdate(record, head) } as ActorRecord;
}

/** The last activation that the head of the log tells of; a node that runs an older one runs it in vain. */
export function lastEpochOf({ last, snapshot }: LogHead): Epoch | undefined {
  return latestEpoch(snapshot?.epoch, last?.kind === 'fence' ? last.fencedEpoch : undefined);
}
