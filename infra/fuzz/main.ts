/**
 * `npm run fuzz -- [--url URL] [--examples N] [--seed N]`: fuzzes a running platform (which may make templates and actors of
 * all sorts, and delete them: never one that matters). Exit 1 with a curl line for each request that was answered by 500.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readEnvironment } from '../../shared/config/environment.ts';
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { fuzzApi } from './fuzz-api.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-fuzz-'));
try {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      examples: { type: 'string', default: '50' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  });
  const read = readEnvironment(process.env, 'DORMOUSE_URL', 'DORMOUSE_TOKEN');
  const { cases, operations, findings, words } = await fuzzApi({
    url: values.url ?? read.DORMOUSE_URL ?? 'http://127.0.0.1:7070',
    examples: Number(values.examples),
    seed: Number(values.seed),
    folder,
    ...(read.DORMOUSE_TOKEN !== undefined && { token: read.DORMOUSE_TOKEN }),
  });
  if (findings > 0) console.log(words);
  console.log(`seed ${values.seed}: ${cases} requests to ${operations} operations, ${findings} findings`);
  process.exitCode = findings > 0 ? 1 : 0;
} catch (error) {
  console.error(toDormouseError(error).message);
  process.exitCode = 1;
} finally {
  await removeTree(folder, tmpdir());
}
