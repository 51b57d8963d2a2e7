/** Says on stderr how far it is, so that nobody wonders whether it still works. */
import type { Finding } from '../../shared/fsck/finding.ts';

const everyMs = 2000;

export interface Progress extends Disposable {
  count(finding: Finding): void;
}

export function openProgress(): Progress {
  let [objects, bytes] = [0, 0];
  const timer = setInterval(() => {
    process.stderr.write(`fsck: ${objects} objects, ${(bytes / 1024 / 1024).toFixed(0)} MiB looked at\n`);
  }, everyMs);
  return {
    count(finding) {
      objects++;
      bytes += finding.sizeBytes ?? 0;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
