/** Tokens: who may call the api, and what for. Only an `admin` sees or changes them. */
import type { NewToken, Token, TokenSpec } from './generated/api.ts';
import { everyItem, type Page, type PageRequest } from './paging.ts';
import { queryString, segment } from './request-path.ts';
import type { CallOptions, ChangeOptions, Transport } from './transport.ts';

export type { NewToken, Token, TokenSpec };

export interface Tokens {
  /** The only answer that has the token itself. */
  create(spec: TokenSpec, options?: ChangeOptions): Promise<NewToken>;
  page(request?: PageRequest & CallOptions): Promise<Page<Token>>;
  /** Those that are not revoked. */
  list(request?: PageRequest & CallOptions): AsyncIterable<Token>;
  /** Durable when it returns; every api stops honouring it within seconds. */
  revoke(id: string, options?: CallOptions): Promise<void>;
}

export function tokensOf(transport: Transport): Tokens {
  async function page({ limit, cursor, signal }: PageRequest & CallOptions = {}): Promise<Page<Token>> {
    const path = `/v1/tokens${queryString({ limit, cursor })}`;
    return (await transport.json({ method: 'GET', path, signal })) as Page<Token>;
  }
  return {
    // Once: its answer has a secret, which the api does not keep to repeat it. The token of a lost answer can be revoked.
    create: async (spec, options = {}) =>
      (await transport.json({ method: 'POST', path: '/v1/tokens', body: spec, once: true, ...options })) as NewToken,
    page,
    list: (request = {}) => everyItem((cursor) => page({ ...request, cursor }), request.cursor),
    revoke: async (id, options = {}) => {
      await transport.json({ method: 'DELETE', path: `/v1/tokens/${segment(id)}`, ...options });
    },
  };
}
