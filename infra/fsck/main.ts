/**
 * `npm run fsck`: looks at every object of a store. Exit code 0 when nothing is damaged (orphans alone are no damage), 1
 * when an object is missing or corrupt, 2 when the command line is wrong or the store cannot be read.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { isGarbage } from '../../shared/fsck/garbage.ts';
import { inspectStore } from '../../shared/fsck/inspect-store.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { readFsckArguments, usage, type FsckArguments } from './arguments.ts';
import { openProgress } from './progress.ts';
import { openReport } from './report.ts';

async function check(options: FsckArguments): Promise<number> {
  await using resources = new AsyncDisposableStack();
  const stop = stopSignal();
  const store = await openObjectStore(options.storeUrl);
  resources.defer(() => store.close());
  const scratchFolder = await mkdtemp(path.join(tmpdir(), 'dormouse-fsck-'));
  resources.defer(() => removeTree(scratchFolder, tmpdir()));
  const progress = resources.use(openProgress());
  const report = openReport(store.description, options, (text) => process.stdout.write(text));
  await inspectStore({
    store,
    scratchFolder,
    signal: stop,
    async onFinding(finding) {
      progress.count(finding);
      const remove = options.repair && isGarbage(finding, options.graceMs);
      if (remove) await store.delete(finding.key, { signal: stop });
      report.add(finding, remove);
    },
  });
  progress[Symbol.dispose]();
  return report.end() ? 1 : 0;
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  }
  return stop.signal;
}

try {
  const options = readFsckArguments(process.argv.slice(2), process.env);
  if (options === 'help') process.stdout.write(usage);
  else process.exitCode = await check(options);
} catch (error) {
  process.stderr.write(`fsck: ${toDormouseError(error).message}\n`);
  process.exitCode = 2;
}
