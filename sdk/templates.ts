/** Templates: immutable recipes that actors are made from. */
import type { Template as AnyTemplate, TemplateSpec } from './generated/api.ts';
import { errorOf } from './operations.ts';
import { everyItem, type Page, type PageRequest } from './paging.ts';
import { poll } from './polling.ts';
import { queryString, segment } from './request-path.ts';
import type { CallOptions, ChangeOptions, Transport } from './transport.ts';

export type { TemplateSpec };

/** As the api shows it; the specification with its defaults filled in. */
export type Template = Omit<AnyTemplate, 'spec'> & { readonly spec: TemplateSpec };

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
