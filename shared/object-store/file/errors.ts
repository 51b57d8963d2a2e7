/** Errno of the store's folder, as DormouseError. */
import { DormouseError } from '../../errors/dormouse-error.ts';

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function translateFileError(error: unknown, what: string): DormouseError {
  const errno = errnoOf(error);
  const words = `${what}: ${error instanceof Error ? error.message : String(error)}`;
  const facts = { cause: error, details: { errno } };
  switch (errno) {
    case 'ENOENT':
      return new DormouseError('store-object-missing', words, facts);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new DormouseError('store-denied', words, facts);
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EIO':
    case 'EMFILE':
    case 'ENFILE':
    case 'ESTALE':
      return new DormouseError('store-unavailable', words, facts);
    case 'ENOTDIR':
    case 'EEXIST':
      return new DormouseError('store-misconfigured', `${words} (a file stands where a folder should be)`, facts);
    case 'EISDIR':
      return new DormouseError('store-object-missing', words, facts);
    default:
      return new DormouseError('internal', words, facts);
  }
}
