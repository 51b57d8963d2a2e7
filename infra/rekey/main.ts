/**
 * `npm run rekey -- [--store URL]`: wraps every data key in the store by the first of `DORMOUSE_ENCRYPTION_KEYS` and
 * removes what other keys wrapped. Exit 0: every key but the first can be dropped. Exit 1: some objects could not be
 * re-wrapped, each named with the reason.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readEnvironment } from '../../shared/config/environment.ts';
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { openObjectStore } from '../../shared/object-store/open.ts';
import { rekeyStore } from './rekey.ts';

try {
  const { values } = parseArgs({ options: { store: { type: 'string' } } });
  const read = readEnvironment(process.env, 'DORMOUSE_HOME', 'DORMOUSE_STORE', 'DORMOUSE_ENCRYPTION_KEYS');
  const url = values.store ?? read.DORMOUSE_STORE ?? `file://${path.join(read.DORMOUSE_HOME, 'store')}`;
  const ring = read.DORMOUSE_ENCRYPTION_KEYS ?? [];
  const store = await openObjectStore(url);
  const { objects, alreadyDone, failed } = await rekeyStore(store, ring);
  await store.close();
  for (const { objectKey, reason } of failed) console.error(`not re-wrapped: ${objectKey}: ${reason}`);
  console.log(
    `${objects} encrypted objects have their key wrapped by ${ring[0]?.id ?? ''} alone (${alreadyDone} had before)`,
  );
  if (failed.length === 0) console.log('every other key can be dropped');
  process.exitCode = failed.length === 0 ? 0 : 1;
} catch (error) {
  console.error(toDormouseError(error).message);
  process.exitCode = 1;
}
