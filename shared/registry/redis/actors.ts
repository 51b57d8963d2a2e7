/** Actors in Redis: one hash each, indexes for listing, a sorted set of deadlines. */
import { isTransitional, mayMove, type ActorState } from '../../actor/lifecycle.ts';
import { defaultNamespace, qualify, stretchOf } from '../../actor/namespace.ts';
import { actorRecordSchema, type ActorRecord, type Operation } from '../records.ts';
import type {
  ActorFilter,
  ActorLook,
  ActorRegistry,
  ClaimResult,
  OperationRegistry,
  Page,
  ReadoptResult,
  RestoreResult,
  Transition,
  TransitionResult,
} from '../registry.ts';
import { boundsOf } from './lexical-bounds.ts';
import { translated, type RedisConnection } from './connection.ts';
import { decodeOwnHash, encodeFields, hashOf } from './hash-record.ts';
import { redisKeys } from './keys.ts';
import { requireMemory } from './life.ts';
import { operationArguments } from './operations.ts';
import type { RunScript } from './scripts.ts';

/** Records read per round while a filter is applied. */
const scanPageSize = 200;
/** Rounds per list call: a rare label costs a bounded time, and the cursor carries on from there. */
const maxScanPages = 25;

export function actorRegistry(
  redis: RedisConnection,
  run: RunScript,
): ActorRegistry & Pick<OperationRegistry, 'beginJob'> {
  const recordOf = async (id: string, hash: Readonly<Record<string, string>>): Promise<ActorRecord | undefined> => {
    const record = decodeOwnHash(actorRecordSchema, redisKeys.actor(id), hash);
    if (record === undefined) await requireMemory(run);
    return record;
  };
  const getActor = async (id: string): Promise<ActorRecord | undefined> =>
    recordOf(id, await translated(redis.hgetall(redisKeys.actor(id))));
  return {
    getActor,
    async beginJob(operation, id, epoch) {
      const [taken, mayActivate, hash = []] = (await run('beginJob', id, epoch, ...operationArguments(operation))) as [
        ...[number, number?, string[]?],
      ];
      if (taken === 0) return undefined;
      return { record: await recordOf(id, hashOf(hash)), mayActivate: mayActivate === 1 };
    },
    async createActor(record) {
      const args = [record.id, record.since, '', record.template, JSON.stringify(record.revision)];
      const outcome = await run('createActor', ...args, ...encodeFields(record));
      return outcome as 'created' | 'exists' | 'template-gone';
    },
    listActors: (filter, limit, cursor) => listActors(redis, getActor, filter, limit, cursor),
    claim: (id, nodeId, deadlineMs, reason, operation) => claim(run, id, nodeId, deadlineMs, reason, operation),
    transition: (transition) => applyTransition(run, transition),
    async restoreActor(record) {
      const args = [record.id, JSON.stringify(record.uid), record.logSeq, ...encodeFields(record)];
      return (await run('restoreActor', ...args)) as RestoreResult;
    },
    async readopt({ id, uid, epoch, node }, update) {
      const args = [id, JSON.stringify(uid), epoch, node, iso(Date.now()), ...encodeFields(update)];
      return (await run('readopt', ...args)) as ReadoptResult;
    },
    async removeActor(id, uid) {
      await run('removeActor', id, JSON.stringify(uid));
    },
    overdueActors: (limit) => translated(redis.zrangebyscore(redisKeys.deadlines, 0, Date.now(), 'LIMIT', 0, limit)),
    actorsOnNode: (nodeId) => translated(redis.sunion(redisKeys.nodeActors(nodeId), redisKeys.nodePaused(nodeId))),
    looksOnNode: async (nodeId) => ((await run('looksOnNode', nodeId)) as LookReply[]).map(lookOf),
  };
}

/** The id, and the JSON texts of three fields. */
type LookReply = [string, string, string | null, string | null];

function lookOf([id, state, epoch, node]: LookReply): ActorLook {
  return {
    ...{ id, state: JSON.parse(state) as ActorState },
    ...(epoch !== null && { epoch: JSON.parse(epoch) as string }),
    ...(node !== null && { node: JSON.parse(node) as string }),
  };
}

async function claim(
  run: RunScript,
  id: string,
  nodeId: string,
  deadlineMs: number,
  reason: string,
  operation?: Operation,
): Promise<ClaimResult> {
  const now = Date.now();
  const deadline = now + deadlineMs;
  const args = [id, nodeId, iso(now), iso(deadline), deadline, JSON.stringify(reason)];
  const ordered = operation === undefined ? [] : operationArguments(operation);
  const reply = (await run('claim', ...args, ...ordered)) as string[];
  const [outcome, value = ''] = reply;
  if (outcome === 'claimed') return { outcome, epoch: value };
  if (outcome === 'refused') return { outcome, state: value as ActorState };
  if (outcome === 'closed') return { outcome, opensInMs: value === '' ? undefined : Number(value) };
  return { outcome: outcome === 'absent' ? 'absent' : 'no-room' };
}

async function applyTransition(run: RunScript, transition: Transition): Promise<TransitionResult> {
  const { id, from, to, epoch, deadlineMs, reason, update = {}, operation } = transition;
  const phases = transition.phases ?? (to === 'running' ? update.lastStart?.phases : undefined);
  for (const state of from) {
    if (!mayMove(state, to)) throw new Error(`the lifecycle has no move from ${state} to ${to}`);
  }
  if (isTransitional(to) && deadlineMs === undefined) throw new Error(`${to} is transitional: it needs a deadline`);
  const now = Date.now();
  const deadline = deadlineMs === undefined ? undefined : now + deadlineMs;
  const ordered = operation === undefined ? [] : operationArguments(operation);
  const removed = Object.entries(update).flatMap(([field, value]) => (value === undefined ? [field] : []));
  const reply = (await run(
    'transition',
    id,
    JSON.stringify(from),
    epoch === undefined ? '' : JSON.stringify(epoch),
    to,
    iso(now),
    deadline === undefined ? '' : iso(deadline),
    deadline ?? '',
    JSON.stringify(reason),
    JSON.stringify(removed),
    phases === undefined ? '' : JSON.stringify(phases),
    to === 'running' && update.lastStart !== undefined ? JSON.stringify(update.lastStart) : '',
    ordered.length,
    ...ordered,
    ...encodeFields(update),
  )) as string[];
  const [outcome, state, holder] = reply;
  if (outcome === 'moved' || outcome === 'absent') return { outcome };
  return { outcome: 'refused', state: state as ActorState, epoch: holder === '' ? undefined : holder };
}

/** Walks the narrowest index in id order; the cursor is the last id looked at. */
async function listActors(
  redis: RedisConnection,
  getActor: (id: string) => Promise<ActorRecord | undefined>,
  filter: ActorFilter,
  limit: number,
  cursor: string | undefined,
): Promise<Page<ActorRecord>> {
  const index = indexOf(filter);
  const { namespace, prefix } = filter;
  const items: ActorRecord[] = [];
  let last = cursor;
  for (let page = 0; page < maxScanPages; page++) {
    const count = filter.label === undefined && filter.template === undefined ? limit - items.length + 1 : scanPageSize;
    const stretch = boundsOf(stretchOf(namespace, prefix), last);
    const ids = await translated(redis.zrange(index, ...stretch, 'BYLEX', 'LIMIT', 0, count));
    const records = await Promise.all(ids.map(getActor));
    for (const [position, record] of records.entries()) {
      if (items.length === limit) return { items, nextCursor: last ?? '' };
      last = ids[position] ?? last;
      if (record !== undefined && matches(record, filter)) items.push(record);
    }
    if (ids.length < count) return { items };
  }
  return last === undefined ? { items } : { items, nextCursor: last };
}

function indexOf(filter: ActorFilter): string {
  if (filter.state !== undefined) return redisKeys.actorsInState(filter.state);
  // A namespace has actors of its own templates and of those it shares: it is not looked for in either's index.
  const isOneTemplate = filter.namespace === undefined || filter.namespace === defaultNamespace;
  if (filter.template !== undefined && isOneTemplate) return redisKeys.actorsOfTemplate(filter.template);
  return redisKeys.actors;
}

function matches(record: ActorRecord, filter: ActorFilter): boolean {
  if (filter.state !== undefined && record.state !== filter.state) return false;
  if (filter.template !== undefined && !isOfTemplate(record, filter.template, filter.namespace)) return false;
  if (filter.label === undefined) return true;
  const [name = '', ...value] = filter.label.split('=');
  const has = Object.hasOwn(record.labels, name) ? record.labels[name] : undefined;
  return has !== undefined && (value.length === 0 || has === value.join('='));
}

const isOfTemplate = ({ template }: ActorRecord, name: string, namespace = defaultNamespace): boolean =>
  template === name || template === qualify(namespace, name);

const iso = (ms: number): string => new Date(ms).toISOString();
