/** What an operator asks of the platform as a whole. */
import type { Operation } from './operations.ts';
import type { CallOptions, Transport } from './transport.ts';

export interface Admin {
  /**
   * Reads templates, actors and generations back from the store; safe at any time. The operation's `counts` say what was
   * found; whoever asks while one is under way gets that one.
   */
  rebuild(options?: CallOptions): Promise<Operation>;
}

export const adminOf = (transport: Transport): Admin => ({
  rebuild: async (options = {}) =>
    (await transport.json({ method: 'POST', path: '/v1/admin/rebuild', ...options })) as Operation,
});
