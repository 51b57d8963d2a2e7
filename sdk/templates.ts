/** Templates: immutable recipes that actors are made from. */
import { errorOf, type StoredError } from './operations.ts';
import { everyItem, type Page, type PageRequest } from './paging.ts';
import { poll } from './polling.ts';
import { queryString, segment } from './request-path.ts';
import type { CallOptions, ChangeOptions, Transport } from './transport.ts';

export interface ContainerSpec {
  readonly name: string;
  /** An OCI reference, `oci:<dir>:<tag>` or `dir:<path>`. */
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly user?: string;
  readonly port?: number;
  readonly readiness?: { readonly path?: string; readonly port?: number; readonly intervalMs?: number };
  readonly limits?: { readonly memoryMiB?: number; readonly pids?: number; readonly cpus?: number };
  readonly upperMiB?: number;
}

/** What is left out gets the api's default. */
export interface TemplateSpec {
  readonly name: string;
  readonly containers: readonly ContainerSpec[];
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  readonly idleTimeoutMs?: number;
  readonly wakeTimeoutMs?: number;
  readonly maxPendingRequests?: number;
  readonly retainGenerations?: number;
  readonly egress?: { readonly allow?: readonly string[] };
  readonly sandboxClass?: 'microvm';
}

export interface Template {
  readonly name: string;
  readonly revision: string;
  readonly spec: TemplateSpec;
  readonly state: 'preparing' | 'ready' | 'failed' | 'deleting';
  /** When the state began. */
  readonly since: string;
  readonly createdAt: string;
  readonly error?: StoredError;
  /** The rest is present once it is ready. */
  readonly preparedAt?: string;
  /** By container: what the image reference was pinned to. */
  readonly images?: Readonly<Record<string, { readonly reference: string; readonly digest: string }>>;
  readonly golden?: { readonly memoryBytes: number; readonly shippedBytes: number };
}

export interface ReadyOptions extends CallOptions {
  /** Default ten minutes: a first pull of a large image and a boot under emulation. */
  readonly timeoutMs?: number | undefined;
  readonly onProgress?: ((template: Template) => void) | undefined;
}

export interface Templates {
  /** The same name and specification again changes nothing. */
  apply(spec: TemplateSpec, options?: ChangeOptions): Promise<Template>;
  get(name: string, options?: CallOptions): Promise<Template>;
  page(request?: PageRequest & CallOptions): Promise<Page<Template>>;
  list(request?: PageRequest & CallOptions): AsyncIterable<Template>;
  delete(name: string, options?: CallOptions): Promise<void>;
  /** Returns it once `ready`; throws its error once `failed`, `wait-timeout` when neither came in time. */
  waitReady(name: string, options?: ReadyOptions): Promise<Template>;
}

const readyTimeoutMs = 600_000;

export function templatesOf(transport: Transport): Templates {
  const pathOf = (name: string): string => `/v1/templates/${segment(name)}`;

  const get = async (name: string, options: CallOptions = {}): Promise<Template> =>
    (await transport.json({ method: 'GET', path: pathOf(name), ...options })) as Template;

  async function page(request: PageRequest & CallOptions = {}): Promise<Page<Template>> {
    const path = `/v1/templates${queryString({ limit: request.limit, cursor: request.cursor })}`;
    return (await transport.json({ method: 'GET', path, signal: request.signal })) as Page<Template>;
  }

  async function waitReady(name: string, options: ReadyOptions = {}): Promise<Template> {
    const { signal, onProgress, timeoutMs = readyTimeoutMs } = options;
    return poll(`template ${name} to become ready`, { timeoutMs, signal }, async () => {
      const template = await get(name, { signal });
      onProgress?.(template);
      if (template.state === 'failed') throw errorOf(template.error, `the preparation of ${name}`);
      return template.state === 'ready' ? template : undefined;
    });
  }

  return {
    apply: async (spec, options = {}) =>
      (await transport.json({ method: 'POST', path: '/v1/templates', body: spec, ...options })) as Template,
    get,
    page,
    list: (request = {}) => everyItem((cursor) => page({ ...request, cursor }), request.cursor),
    delete: async (name, options = {}) => {
      await transport.json({ method: 'DELETE', path: pathOf(name), ...options });
    },
    waitReady,
  };
}
