// @ts-check
/**
 * The API, as the page calls it. A refusal is thrown as `ApiProblem` with its code and next step; an API that does not
 * answer has the code `unreachable`. Whoever cares hears of each change between reachable and not, and of a refused token.
 */
import { readToken } from './token-store.js';

/** @typedef {{code: string, detail: string, nextStep: string, retryable: boolean, status: number, requestId?: string}} Problem */
/** @typedef {'reached' | 'unreachable' | 'unauthorized'} Reach */

/** The longest that a page waits for an ordinary answer; one that takes longer is as good as none. */
const limitMs = 20_000;

/** Pauses before a request that was broken off is sent again. */
const againMs = [100, 400];

export class ApiProblem extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** @type {Set<(reach: Reach) => void>} */
const listeners = new Set();

/** @param {(reach: Reach) => void} listener */
export const onReach = (listener) => void listeners.add(listener);
/** @param {Reach} reach */
const tell = (reach) => listeners.forEach((listener) => listener(reach));

/**
 * @param {string} path Relative to the page, so that a prefix in front of the API does no harm.
 * @param {{method?: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal, endless?: boolean}} [options]
 * @returns {Promise<Response>} With a status below 300.
 */
export async function call(path, { method = 'GET', body, headers = {}, signal, endless = false } = {}) {
  const token = readToken();
  const ends = [...(signal ? [signal] : []), ...(endless ? [] : [AbortSignal.timeout(limitMs)])];
  const end = AbortSignal.any(ends);
  /** @type {RequestInit} */
  const request = {
    method,
    cache: 'no-store',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(method === 'POST' && { 'idempotency-key': newKey() }), // sent again, it is done once
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: end,
  };
  const response = await fetchAgain(path.slice(1), request, end).catch((cause) => {
    if (signal?.aborted) throw cause;
    tell('unreachable');
    throw unreachable(method === 'GET');
  });
  tell(response.status === 401 ? 'unauthorized' : 'reached');
  if (response.ok) return response;
  throw new ApiProblem(await problemOf(response));
}

/**
 * A VM that starts on this machine changes its network, and Chromium then breaks off what is under way: that is no reason to
 * say that the API is away.
 * @param {string} path @param {RequestInit} request @param {AbortSignal} end
 */
async function fetchAgain(path, request, end) {
  for (const pauseMs of againMs) {
    try {
      return await fetch(path, request);
    } catch (error) {
      if (end.aborted) throw error;
      await new Promise((resolve) => window.setTimeout(resolve, pauseMs));
    }
  }
  return fetch(path, request);
}

/** Not `randomUUID`: that is for pages from https or this machine only. */
const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join('-');

/** @template Answer @param {string} path @param {Parameters<typeof call>[1]} [options] @returns {Promise<Answer>} */
export async function callJson(path, options) {
  return /** @type {Answer} */ (await (await call(path, options)).json());
}

/** @param {unknown} error @returns {Problem} */
export function problemFrom(error) {
  if (error instanceof ApiProblem) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { code: 'dashboard', detail, nextStep: 'Reload the page.', retryable: false, status: 0 };
}

/** @param {Response} response @returns {Promise<Problem>} */
async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return {
    code: String(body.code ?? `http-${response.status}`),
    detail: String(body.detail ?? response.statusText),
    nextStep: String(body.nextStep ?? 'Look at what stands between this page and the API.'),
    retryable: body.retryable === true,
    status: response.status,
    ...(typeof body.requestId === 'string' && { requestId: body.requestId }),
  };
}

/** @param {boolean} harmless Whether asking again by itself is all there is to do. */
const unreachable = (harmless) =>
  new ApiProblem({
    code: 'unreachable',
    detail: 'The API does not answer.',
    nextStep: harmless
      ? 'Nothing to do here: the page goes on as soon as it answers.'
      : 'It may or may not have taken this request. Look at the state once it answers, then try again.',
    retryable: true,
    status: 0,
  });
