/**
 * Looks at every object of a store and says whether it is alive (finding.ts). Changes nothing.
 *
 * It may run while the platform does. A group is listed first and what names its objects is read afterwards, and parts
 * are written before their entry: so whatever was listed and counts is named by then. What is named but was not listed
 * is looked for again before it is called missing. Memory is bounded by the largest group, not by the store.
 */
import type { CallOptions, ListedObject, ObjectStore } from '../object-store/object-store.ts';
import { inLanes } from '../process/lanes.ts';
import { tokenOf } from '../snapshot/object-keys.ts';
import type { Finding, Group, Judgement, Named } from './finding.ts';
import { groupsOf, ownerOf } from './groups.ts';
import { judgeActor } from './judge-actor.ts';
import { judgeAssetSet, judgeCurrentSet } from './judge-assets.ts';
import { judgeTemplate } from './judge-template.ts';
import { judgeToken } from './judge-token.ts';
import { judgeZygote } from './judge-zygote.ts';
import { lockedForever, verifyWrap } from './verify-keys.ts';
import { verifyObject } from './verify-object.ts';

/** Each lane holds one group and one object on its way; more would compete with the platform for the store. */
const laneCount = 4;

export interface Inspection extends CallOptions {
  readonly store: ObjectStore;
  /** Where live objects are brought to be read, one at a time per lane; without it only sizes are compared. */
  readonly scratchFolder?: string;
  /** Called before each group; a promise that it returns is waited for, so that it can set the pace. */
  readonly onGroup?: (group: Group) => Promise<void> | void;
  readonly onFinding: (finding: Finding) => Promise<void> | void;
}

export async function inspectStore(inspection: Inspection): Promise<void> {
  const { store, signal, onGroup } = inspection;
  const options = signal === undefined ? {} : { signal };
  const elsewhere = new Map<string, Promise<boolean>>();
  const inspect = async (group: Group): Promise<void> => {
    signal?.throwIfAborted();
    await onGroup?.(group);
    const judgement = await judge(store, group, (key) => elsewhere.has(key), options);
    if (judgement !== undefined) await report(inspection, group, judgement, elsewhere, options);
    else for (const object of group.objects) await inspection.onFinding(plain(object));
  };
  // Actors first: what they were made from is then known when the templates are judged.
  await inLanes(groupsOf(store.list('actors/', options)), laneCount, inspect);
  await inLanes(groupsOf(otherThanActors(store.list('', options))), laneCount, inspect);
}

async function* otherThanActors(objects: AsyncIterable<ListedObject>): AsyncGenerator<ListedObject> {
  for await (const object of objects) if (!object.key.startsWith('actors/')) yield object;
}

/** Undefined for an object that stands for itself. */
async function judge(
  store: ObjectStore,
  group: Group,
  isUsed: (key: string) => boolean,
  options: CallOptions,
): Promise<Judgement | undefined> {
  const [root] = group.prefix.split('/');
  if (group.prefix.endsWith('/')) {
    if (root === 'actors') return judgeActor(store, group, options);
    if (root === 'templates') return judgeTemplate(store, group, isUsed(`${group.prefix}template.json`), options);
    if (root === 'assets') return judgeAssetSet(store, group, options);
    if (root === 'zygotes') return judgeZygote(store, group, options);
  }
  if (tokenOf(group.prefix) !== undefined) return judgeToken(store, group, options);
  return /^assets\/current-[a-z0-9]+$/.test(group.prefix) ? judgeCurrentSet(store, group, options) : undefined;
}

function plain(object: ListedObject): Finding {
  const { key } = object;
  if (/^(incarnations|nodes|webhooks)\/[^/]+\.json$/.test(key)) return { ...facts(object), verdict: 'live' };
  if (key.startsWith('check/')) {
    return { ...facts(object), verdict: 'orphan', removable: true, reason: 'a trial of the store left it' };
  }
  return { ...facts(object), verdict: 'foreign', reason: 'not one of Dormouse’s names' };
}

const facts = ({ key, sizeBytes, modifiedAtMs }: ListedObject) => ({
  ...{ key, sizeBytes },
  ageMs: Math.max(0, Math.round(Date.now() - modifiedAtMs)),
});

async function report(
  inspection: Inspection,
  group: Group,
  judgement: Judgement,
  elsewhere: Map<string, Promise<boolean>>,
  options: CallOptions,
): Promise<void> {
  const { store, onFinding } = inspection;
  const named = new Map(judgement.named.map((item) => [item.key, item]));
  const told = new Set(judgement.damage.map(({ key }) => key));
  for (const finding of judgement.damage) await onFinding(finding);
  for (const object of group.objects) {
    const owner = ownerOf(object.key);
    const item = named.get(object.key);
    if (told.has(object.key)) continue;
    if (owner !== object.key && named.has(owner)) await onFinding(await verifiedWrap(inspection, object, options));
    else if (item !== undefined) await onFinding(await verified(inspection, item, object, options));
    else await onFinding({ ...facts(object), verdict: 'orphan', ...judgement.orphan(owner) });
  }
  for await (const finding of lockedForever(store, group, judgement.named, options)) await onFinding(finding);
  const listed = new Set(group.objects.map(({ key }) => key));
  for (const item of judgement.named) {
    if (listed.has(item.key)) continue;
    if (item.key.startsWith(group.prefix)) {
      if (await isMissing(store, item, options)) await onFinding(missing(item));
    } else if (!elsewhere.has(item.key)) {
      const verdict = isMissing(store, item, options); // many actors name one template: it is looked for once
      elsewhere.set(item.key, verdict);
      if (await verdict) await onFinding(missing(item));
    }
  }
}

const missing = ({ key, by, sizeBytes }: Named): Finding => ({
  ...{ key, verdict: 'missing', reason: `named by ${by}` },
  ...(sizeBytes !== undefined && { sizeBytes }),
});

async function isMissing(store: ObjectStore, { key, by }: Named, options: CallOptions): Promise<boolean> {
  if ((await store.head(key, options)) !== undefined) return false;
  return key !== by && (await store.head(by, options)) !== undefined;
}

async function verifiedWrap(
  { store, scratchFolder }: Inspection,
  object: ListedObject,
  options: CallOptions,
): Promise<Finding> {
  const complaint = scratchFolder === undefined ? undefined : await verifyWrap(store, object, options);
  if (complaint === undefined) return { ...facts(object), verdict: 'live' };
  return { ...facts(object), verdict: 'corrupt', reason: complaint };
}

async function verified(
  { store, scratchFolder }: Inspection,
  item: Named,
  object: ListedObject,
  options: CallOptions,
): Promise<Finding> {
  const difference = await verifyObject(store, item, object, scratchFolder, options);
  if (difference === undefined) return { ...facts(object), verdict: 'live' };
  if (difference !== 'gone') return { ...facts(object), verdict: 'corrupt', reason: difference };
  // Collected between the listing and the reading, with the entry that named it; if not, it is missed.
  return (await isMissing(store, item, options)) ? missing(item) : { ...facts(object), verdict: 'live' };
}
