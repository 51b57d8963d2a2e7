/** Tells every api process of a token's new record. It stands in the store already: a registry that is away changes nothing. */
import type { ApiParts } from '../parts.ts';

export async function announceToken(
  { registry, log }: Pick<ApiParts, 'registry' | 'log'>,
  id: string,
  state: 'created' | 'revoked',
): Promise<void> {
  try {
    await registry.announceToken(id, state);
  } catch (error) {
    log.warn({ tokenId: id, state, err: error }, 'token change not announced: others see it some seconds later');
  }
}
