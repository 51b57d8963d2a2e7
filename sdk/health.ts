/** Whether the platform can serve, and which version of it answers. */
import { DormouseApiError } from './api-error.ts';
import type { CallOptions, Transport } from './transport.ts';

export interface Readiness {
  readonly ready: boolean;
  /** What the api said about each thing it needs. */
  readonly report: Readonly<Record<string, unknown>>;
}

export interface Health {
  /** Not ready is an answer, not an error; `api-unreachable` is one. */
  ready(options?: CallOptions): Promise<Readiness>;
  version(options?: CallOptions): Promise<string | undefined>;
}

export function healthOf(transport: Transport): Health {
  return {
    async ready(options = {}) {
      const response = await transport.send(`${transport.baseUrl}/readyz`, { signal: options.signal ?? null });
      if (response.status !== 200 && response.status !== 503) throw notDormouse(transport, response);
      const report: unknown = await response.json().catch(() => undefined);
      const facts = typeof report === 'object' && report !== null ? { ...report } : {};
      return { ready: response.status === 200, report: facts };
    },
    async version(options = {}) {
      const document = await transport.json({ method: 'GET', path: '/openapi.json', ...options });
      return (document as { readonly info?: { readonly version?: string } }).info?.version;
    },
  };
}

const notDormouse = (transport: Transport, response: Response): DormouseApiError =>
  new DormouseApiError({
    status: response.status,
    code: 'unexpected-answer',
    message: `what answers at ${transport.baseUrl} is not Dormouse: HTTP ${response.status} for /readyz`,
    retryable: false,
  });
