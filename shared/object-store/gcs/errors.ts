/** What Google Cloud Storage and its SDK throw, as DormouseError. */
import { DormouseError } from '../../errors/dormouse-error.ts';

export function translateGcsError(error: unknown, what: string): DormouseError {
  const status = statusOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const facts = { cause: error, details: { status } };
  return new DormouseError(codeOf(status, message), `${what}: ${status ?? ''} ${message}`.replace(/ +/g, ' '), facts);
}

type StoreCode = 'store-denied' | 'store-misconfigured' | 'store-unavailable' | 'store-object-missing' | 'internal';

function codeOf(status: number | undefined, message: string): StoreCode {
  if (status === 401 || status === 403 || /default credentials|invalid_grant/i.test(message)) return 'store-denied';
  if (status === 404) return /bucket does not exist/i.test(message) ? 'store-misconfigured' : 'store-object-missing';
  // No answer at all, a good one that broke off (2xx), 5xx, 429, and the conflicts and ended upload sessions (410) that a
  // new attempt gets over.
  if (status === undefined || status < 300 || status >= 500 || [408, 409, 410, 429].includes(status))
    return 'store-unavailable';
  return 'internal'; // a request that GCS takes for wrong is a fault of ours
}

export const isRefusedCreate = (error: unknown): boolean => statusOf(error) === 412;

/** The SDK has three HTTP clients inside, and each puts the status elsewhere. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, status, response } = error as { code?: unknown; status?: unknown; response?: unknown };
  const nested = typeof response === 'object' && response !== null ? Object.entries(response) : [];
  const fromResponse = nested.find(([name]) => name === 'status' || name === 'statusCode')?.[1] as unknown;
  const candidates = [code, status, fromResponse].map(Number);
  return candidates.find((candidate) => candidate >= 100 && candidate < 600);
}

/** Translates inside the retries, which judge by the code. */
export const translatedGcs = <T>(what: string, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw error instanceof DormouseError ? error : translateGcsError(error, what);
  });
