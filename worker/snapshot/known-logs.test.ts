import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActorRecord } from '../../shared/registry/records.ts';
import type { LogEntry, SnapshotEntry } from '../../shared/snapshot/actor-log.ts';
import { createKnownLogs } from './known-logs.ts';

const head = { kind: 'snapshot', uid: 'u', epoch: '1.4', seq: 7, generation: 5 } as SnapshotEntry;
const record = { id: 'a', uid: 'u', epoch: '1.9', previousEpoch: '1.4', logSeq: 7 } as ActorRecord;

test('the end of a log is believed by the activation that comes right after, and by no other', () => {
  const logs = createKnownLogs();
  assert.equal(logs.headFor(record), undefined);
  logs.keep('a', { head, older: undefined });
  assert.equal(logs.headFor(record), head);
  const others: readonly Partial<ActorRecord>[] = [
    { previousEpoch: '1.5' },
    { previousEpoch: undefined },
    { uid: 'next' },
    { logSeq: 8 },
    { unfenced: true },
  ];
  for (const other of others) assert.equal(logs.headFor({ ...record, ...other }), undefined);
});

test('what stands before an entry is known while the entries follow each other', () => {
  const logs = createKnownLogs();
  const older = [{ kind: 'created', uid: 'u', seq: 1 } as LogEntry];
  logs.keep('a', { head, older: undefined });
  assert.equal(logs.before('a', 'u', 8), undefined, 'nobody has looked');
  logs.keep('a', { head, older });
  assert.deepEqual(logs.before('a', 'u', 8), [...older, head]);
  assert.equal(logs.before('a', 'u', 9), undefined, 'somebody else wrote the eighth');
  assert.equal(logs.before('a', 'next', 8), undefined);
});
