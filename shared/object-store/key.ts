/**
 * What a key and a list prefix may be. A segment never begins with a dot, so that none is `.` or `..` and none meets the
 * file driver's own folder. A bad key is a fault of ours, never of a user: ids are checked before they become keys.
 */
import { DormouseError } from '../errors/dormouse-error.ts';

const keyPattern = /^[A-Za-z0-9_=-][A-Za-z0-9._=-]*(\/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*$/;
/** The limit of S3 and GCS for a whole key, less a generous share for the prefix of the store's URL. */
const maxKeyLength = 900;
/** The limit of Linux for a file name, less what a server adds to it while writing. */
const maxSegmentLength = 200;

const isKey = (text: string): boolean =>
  text.length <= maxKeyLength &&
  keyPattern.test(text) &&
  text.split('/').every((segment) => segment.length <= maxSegmentLength);

export function assertKey(key: string): void {
  if (!isKey(key)) throw new DormouseError('internal', `not an object key: ${JSON.stringify(key)}`);
}

export function assertPrefix(prefix: string): void {
  const valid = prefix === '' || (prefix.endsWith('/') && isKey(prefix.slice(0, -1)));
  if (!valid) throw new DormouseError('internal', `not a list prefix: ${JSON.stringify(prefix)}`);
}
