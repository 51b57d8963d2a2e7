/**
 * What S3 servers and the SDK throw, as DormouseError. Servers differ in the status they give a wrong key (versitygw:
 * 404 for an unknown id, 403 for a wrong secret), so the name of the error decides where there is one.
 */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { DormouseError } from '../../errors/dormouse-error.ts';

const deniedNames = new Set([
  ...[
    'AccessDenied',
    'InvalidAccessKeyId',
    'SignatureDoesNotMatch',
    'ExpiredToken',
    'InvalidToken',
    'TokenRefreshRequired',
  ],
  ...['AccountProblem', 'InvalidSecurity', 'NotSignedUp', 'AllAccessDisabled', 'UnauthorizedAccess'],
  ...['CredentialsProviderError', 'RequestTimeTooSkewed', 'XAdminUserNotFound'],
]);
const missingNames = new Set(['NoSuchKey', 'NotFound']);
const misconfiguredNames = new Set([
  ...['NoSuchBucket', 'PermanentRedirect', 'AuthorizationHeaderMalformed', 'InvalidBucketName'],
  ...['IllegalLocationConstraintException', 'MethodNotAllowed', 'NotImplemented'],
]);
/** Another writer of the same key is in the middle of it, or our upload was ended: look, and try again. */
const passingNames = new Set([
  'ConditionalRequestConflict',
  'OperationAborted',
  'NoSuchUpload',
  'SlowDown',
  'RequestTimeout',
]);

export function translateS3Error(error: unknown, what: string): DormouseError {
  const name = error instanceof Error ? error.name : '';
  const status = statusOf(error);
  const words = `${what}: ${name} ${status ?? ''} ${error instanceof Error ? error.message : String(error)}`;
  return new DormouseError(codeOf(name, status), words.replace(/ +/g, ' '), {
    cause: error,
    details: { name, status },
  });
}

function codeOf(name: string, status: number | undefined): StoreCode {
  if (deniedNames.has(name)) return 'store-denied';
  if (misconfiguredNames.has(name)) return 'store-misconfigured';
  if (passingNames.has(name)) return 'store-unavailable';
  if (missingNames.has(name) || status === 404) return 'store-object-missing';
  if (status === 401 || status === 403) return 'store-denied';
  if (status === 301 || status === 405 || status === 501) return 'store-misconfigured';
  // No answer at all (refused, reset, name not found), a good one that broke off (2xx), 5xx, 429, and conflicts.
  if (status === undefined || status < 300 || status >= 500 || status === 429 || status === 408 || status === 409)
    return 'store-unavailable';
  return 'internal'; // a request that S3 takes for wrong is a fault of ours
}

type StoreCode = 'store-denied' | 'store-misconfigured' | 'store-unavailable' | 'store-object-missing' | 'internal';

export const isRefusedCreate = (error: unknown): boolean =>
  error instanceof S3ServiceException && (error.name === 'PreconditionFailed' || statusOf(error) === 412);

export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** Translates inside the retries, which judge by the code. */
export const translatedS3 = <T>(what: string, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw error instanceof DormouseError ? error : translateS3Error(error, what);
  });
