/** Where an assembly works, and how it tells what it does. */
import type { Mirror } from '../debian/apt-sources.ts';
import type { Progress } from '../progress.ts';

export interface Place {
  /** Finished sets: `<assetsDir>/<arch>/<digest>`. */
  readonly assetsDir: string;
  /** Downloaded packages, apt's state, a fetched Go compiler; may be emptied at any time. */
  readonly cacheDir: string;
  /** Asked only when something must be fetched. */
  readonly findMirror: () => Promise<Mirror>;
  readonly progress: Progress;
}
