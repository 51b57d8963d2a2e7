/**
 * What an inspection says of each object.
 *
 *   live     something names it, and (if it was read) its bytes are the ones that were written
 *   orphan   nothing names it: what a failed or lost attempt, or a deletion that was cut off, left behind
 *   missing  something names it, and it is not there
 *   corrupt  it is there, and its size, digest or form is not what it should be
 *   foreign  not one of Dormouse's keys: never touched
 */
import type { ListedObject } from '../object-store/object-store.ts';

export const verdicts = ['live', 'orphan', 'missing', 'corrupt', 'foreign'] as const;
export type Verdict = (typeof verdicts)[number];

export interface Finding {
  readonly key: string;
  readonly verdict: Verdict;
  readonly sizeBytes?: number;
  /** Since it was written, by the store's clock. */
  readonly ageMs?: number;
  readonly reason?: string;
  /** An orphan that nothing can come to name any more, so that only its age keeps it. */
  readonly removable?: boolean;
}

export const isDamage = ({ verdict }: Finding): boolean => verdict === 'missing' || verdict === 'corrupt';

/** An object that must be there. */
export interface Named {
  readonly key: string;
  /** The object that names it: when that is gone by the time we look, so may this one be. */
  readonly by: string;
  readonly sizeBytes?: number;
  readonly sha256?: string;
  /** Present when it is encrypted: then it is worth nothing without a key that opens it, which must lie beside it. */
  readonly encryption?: unknown;
}

/** What belongs together and is judged together: an actor, a template's revision, an asset set, or one object alone. */
export interface Group {
  readonly prefix: string;
  readonly objects: readonly ListedObject[];
}

/** The judgement on a group, before the objects themselves are looked at. */
export interface Judgement {
  /** Those that must be there, with what is known of them. */
  readonly named: readonly Named[];
  /** Damage that was seen while reading what names them. */
  readonly damage: readonly Finding[];
  /** By key: why an object that nothing names is there, and whether it may go. */
  readonly orphan: (key: string) => { readonly reason: string; readonly removable: boolean };
}
