/**
 * The one error that the client throws about an answer. Dormouse's own refusals are RFC 9457 problem documents; an
 * answer that is none (a proxy in between) becomes `unexpected-answer`, no answer at all `api-unreachable`.
 * An aborted signal is not one of them: its reason is thrown as it is.
 */

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export interface ApiErrorFacts {
  /** HTTP status; 0 when no answer carried the error (nothing answered, or it stood in a resource). */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  /** What the reader can do about it. */
  readonly nextStep?: string | undefined;
  readonly requestId?: string | undefined;
  readonly errors?: readonly FieldError[] | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

export class DormouseApiError extends Error {
  override readonly name = 'DormouseApiError';
  readonly status: number;
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly nextStep: string | undefined;
  readonly requestId: string | undefined;
  readonly errors: readonly FieldError[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(facts: ApiErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.code = facts.code;
    this.retryable = facts.retryable;
    this.retryAfterMs = facts.retryAfterMs;
    this.nextStep = facts.nextStep;
    this.requestId = facts.requestId;
    this.errors = facts.errors ?? [];
    this.details = facts.details ?? {};
  }
}

export const isProblem = (response: Response): boolean =>
  (response.headers.get('content-type') ?? '').toLowerCase().startsWith('application/problem+json');

/** Reads the body of a refusal; never throws anything but what reading the body throws. */
export async function errorFromAnswer(response: Response): Promise<DormouseApiError> {
  const text = await response.text();
  const problem = isProblem(response) ? parseObject(text) : undefined;
  const requestId = stringOf(problem?.['requestId']) ?? response.headers.get('x-request-id') ?? undefined;
  const retryAfterMs = numberOf(problem?.['retryAfterMs']) ?? retryAfterHeader(response.headers.get('retry-after'));
  if (problem === undefined) return unexpectedAnswer(response, text, { requestId, retryAfterMs });
  return problemError({ ...problem, requestId, retryAfterMs }, response.status);
}

/** A problem document, also one that came another way than as an answer (then the status is its own, or 0). */
export function problemError(problem: Readonly<Record<string, unknown>>, status: number): DormouseApiError {
  return new DormouseApiError({
    status,
    code: stringOf(problem['code']) ?? 'unexpected-answer',
    message: stringOf(problem['detail']) ?? stringOf(problem['title']) ?? `HTTP ${status}`,
    retryable: problem['retryable'] === true,
    retryAfterMs: numberOf(problem['retryAfterMs']),
    nextStep: stringOf(problem['nextStep']),
    requestId: stringOf(problem['requestId']),
    errors: fieldErrors(problem['errors']),
    details: objectOf(problem['details']),
  });
}

/** Enough of a foreign page to recognize it, not enough to flood a terminal. */
const quotedCharacters = 200;
const transientStatuses: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

export function unexpectedAnswer(
  response: Response,
  text: string,
  facts: Pick<ApiErrorFacts, 'requestId' | 'retryAfterMs' | 'cause'> = {},
): DormouseApiError {
  const quoted = text.slice(0, quotedCharacters).trim();
  return new DormouseApiError({
    ...facts,
    status: response.status,
    code: 'unexpected-answer',
    message: `HTTP ${response.status}, and not in Dormouse's format${quoted === '' ? '' : `: ${quoted}`}`,
    retryable: transientStatuses.has(response.status),
  });
}

/** `Retry-After` is either seconds or a date. */
function retryAfterHeader(header: string | null): number | undefined {
  if (header === null) return undefined;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const objectOf = (value: unknown): Record<string, unknown> | undefined => (isObject(value) ? { ...value } : undefined);

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value
    .map(objectOf)
    .map((entry) => ({ field: stringOf(entry?.['field']) ?? '', message: stringOf(entry?.['message']) ?? '' }))
    .filter((entry) => entry.message !== '');
}
