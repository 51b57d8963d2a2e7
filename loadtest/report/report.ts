/** All that one run found out: what `--json` writes, and what the text is made of. */
import type { Sample } from '../sample.ts';
import type { Machine, Versions } from '../machine.ts';
import type { Ratio, SeriesSummary } from './summary.ts';

/** Raised when a reader of the old version could misread the new one. */
export const reportSchemaVersion = 1;

export interface Preparation {
  readonly template: string;
  readonly file: string;
  /** From the POST of the template until it was ready: fetching and unpacking the image, a boot, the golden. */
  readonly readyMs: number;
}

export interface Settings {
  readonly url: string;
  readonly scenario: string;
  readonly templates: readonly string[];
  readonly rounds: number;
  readonly path: string;
  readonly hotCalls: number;
  readonly hotConcurrency: number;
}

export interface Report {
  readonly schemaVersion: typeof reportSchemaVersion;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly interrupted: boolean;
  /** Of the client, which is the machine of the platform only when the url says so. */
  readonly machine: Machine;
  readonly versions: Versions;
  /** Of the sources this program was run from; with `+changes` when they had uncommitted ones. */
  readonly commit: string | undefined;
  readonly settings: Settings;
  readonly summaries: readonly SeriesSummary[];
  readonly ratios: readonly Ratio[];
  readonly preparations: readonly Preparation[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
  readonly samples: readonly Sample[];
}
