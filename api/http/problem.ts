/** RFC 9457 problem documents, made from any error. What is not ours is `internal`: its words stay in the log. */
import { defaultNamespace, inPublicWords } from '../../shared/actor/namespace.ts';
import { errorCodes } from '../../shared/errors/codes.ts';
import type { DormouseError } from '../../shared/errors/dormouse-error.ts';

export const problemContentType = 'application/problem+json';

export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Relative to the api, which answers there with what the code means. */
export const problemTypePrefix = '/errors/';
/** For retryable refusals that name no time of their own: about as long as a busy moment lasts. */
const defaultRetryAfterMs = 1000;
const statusesWithRetryAfter: ReadonlySet<number> = new Set([429, 503]);

/** In the words of those who see the namespace alone. */
export function problemOf(error: DormouseError, requestId: string, namespace = defaultNamespace): Problem {
  const { status, retryable, title, nextStep } = errorCodes[error.code];
  const internal = error.code === 'internal';
  const retryAfterMs =
    error.retryAfterMs ?? (retryable && statusesWithRetryAfter.has(status) ? defaultRetryAfterMs : undefined);
  return {
    status,
    headers: {
      'content-type': problemContentType,
      // Seconds, and never 0: that would mean "at once".
      ...(retryAfterMs !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
      ...(status === 401 && { 'www-authenticate': 'Bearer realm="dormouse"' }),
    },
    body: {
      type: problemTypePrefix + error.code,
      title,
      status,
      code: error.code,
      detail: internal ? title : inPublicWords(error.message, namespace),
      nextStep,
      retryable,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      requestId,
      ...(error.errors.length > 0 && { errors: error.errors }),
      ...(!internal && Object.keys(error.details).length > 0 && { details: publicDetails(error, namespace) }),
    },
  };
}

const publicDetails = ({ details }: DormouseError, namespace: string): unknown =>
  namespace === defaultNamespace ? details : JSON.parse(inPublicWords(JSON.stringify(details), namespace));
