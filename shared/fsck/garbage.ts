/** Which findings are garbage that may be removed, and the default of how long it is left alone. */
import type { Finding } from './finding.ts';

/**
 * Anything that is being written, the longest preparation of a template included, has a name or has failed long before
 * that.
 */
export const defaultGraceMs = 3600 * 1000;

export const isGarbage = (finding: Finding, graceMs: number): boolean =>
  finding.verdict === 'orphan' && finding.removable === true && (finding.ageMs ?? 0) >= graceMs;
