/** Tokens as the API takes and shows them. The secret is shown once, in the answer that made it. */
import { z } from 'zod';
import { rateLimitSchema, scopeSchema, type StoredToken } from '../../shared/access/stored-tokens.ts';
import { namespaceSchema } from '../../shared/actor/namespace.ts';
import { tokenIdPattern } from '../../shared/access/token-text.ts';

export const tokenIdSchema = z.string().regex(tokenIdPattern, '16 hexadecimal digits');

export const tokenSpecSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\x21-\x7e]([\x20-\x7e]{0,61}[\x21-\x7e])?$/, '1 to 63 printable characters')
      .meta({ description: 'For people: who or what has it' }),
    scopes: z
      .array(scopeSchema)
      .min(1)
      .refine((scopes) => new Set(scopes).size === scopes.length, 'each scope once')
      .meta({ description: '`invoke` calls actors, `read` reads, `admin` does everything' }),
    rateLimit: rateLimitSchema
      .partial({ burst: true })
      .optional()
      .meta({ description: 'In each api process; `burst` is `perSecond`, rounded up, unless given' }),
    namespace: namespaceSchema.optional().meta({ description: 'The only one that it works in; any unless given' }),
    expiresAt: z.iso
      .datetime()
      .refine((at) => Date.parse(at) > Date.now(), 'must be in the future')
      .optional(),
  })
  .meta({ id: 'TokenSpec', description: 'A token to be made' });

export const tokenView = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(scopeSchema),
    rateLimit: rateLimitSchema.optional(),
    namespace: z.string().optional(),
    expiresAt: z.string().optional(),
    createdAt: z.string(),
  })
  .meta({ id: 'Token', description: 'What a token allows' });

export const newTokenView = tokenView
  .extend({ token: z.string().meta({ description: 'The token itself; it is not shown again' }) })
  .meta({ id: 'NewToken', description: 'A new token' });

export function viewOfToken(token: StoredToken): z.infer<typeof tokenView> {
  const { formatVersion: _format, secretSha256: _digest, revokedAt: _revoked, ...shown } = token;
  return shown;
}
