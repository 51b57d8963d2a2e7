/** `dormouse token create|list|revoke`: who may call the api. Needs the scope `admin`. */
import type { NewToken, Token, TokenSpec } from '../../sdk/tokens.ts';
import { positiveNumber } from '../arguments.ts';
import { UsageError, type Arguments, type Command } from '../command.ts';
import { age } from '../table.ts';

export const createToken: Command = {
  name: 'token create',
  summary: 'Make a token; it is shown this once. With --namespace it is bound to that one',
  positionals: ['<name>'],
  options: {
    scope: {
      type: 'string',
      short: 's',
      multiple: true,
      value: 'scope',
      help: 'invoke, read or admin; may be given several times (required)',
    },
    rate: { type: 'string', value: 'number', help: 'calls a second, in each api process; no limit unless given' },
    burst: { type: 'string', value: 'number', help: 'calls at once before --rate counts' },
    expires: { type: 'string', value: 'when', help: 'an instant, or how long from now: 12h, 30d' },
  },
  example: 'dormouse token create ci --namespace team --scope invoke --scope read --rate 20 --expires 30d',
  async run({ client, arguments: args, terminal }) {
    const token = await client.tokens.create(specificationOf(args));
    terminal.show(token, fieldsOf(token));
    terminal.say('the token is not shown again');
    return 0;
  },
};

function specificationOf(args: Arguments): TokenSpec {
  const scopes = args.options('scope') as TokenSpec['scopes'];
  if (scopes.length === 0) throw new UsageError('--scope is missing');
  const [perSecond, burst] = [positiveNumber(args, 'rate'), positiveNumber(args, 'burst')];
  if (perSecond === undefined && burst !== undefined) throw new UsageError('--burst needs --rate');
  return {
    name: args.required('name'),
    scopes,
    rateLimit: perSecond === undefined ? undefined : { perSecond, burst },
    namespace: args.option('namespace'),
    expiresAt: instantOf(args.option('expires')),
  };
}

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function instantOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  const at = unit === undefined ? Date.parse(text) : Date.now() + Number(count) * unitMs[unit as keyof typeof unitMs];
  if (Number.isNaN(at)) throw new UsageError(`--expires takes an instant, or a time such as 12h or 30d, not ${text}`);
  return new Date(at).toISOString();
}

const fieldsOf = ({ id, token, name, namespace, scopes, rateLimit, expiresAt }: NewToken) => ({
  ...{ id, token, name, namespace, scopes: scopes.join(' ') },
  ...{ perSecond: rateLimit?.perSecond, burst: rateLimit?.burst, expiresAt },
});

export const listTokens: Command = {
  name: 'token list',
  summary: 'List the tokens that are not revoked',
  example: 'dormouse token list',
  async run({ client, terminal }) {
    const tokens: Token[] = [];
    for await (const token of client.tokens.list()) tokens.push(token);
    terminal.list(tokens, [
      ['TOKEN', (token) => token.id],
      ['NAME', (token) => token.name],
      ['NAMESPACE', (token) => token.namespace],
      ['SCOPES', (token) => token.scopes.join(' ')],
      ['PER SECOND', (token) => token.rateLimit?.perSecond],
      ['AGE', (token) => age(token.createdAt)],
      ['EXPIRES', (token) => token.expiresAt],
    ]);
    return 0;
  },
};

export const revokeToken: Command = {
  name: 'token revoke',
  summary: 'Revoke a token; within seconds nobody gets in with it',
  positionals: ['<id>'],
  example: 'dormouse token revoke 0123456789abcdef',
  async run({ client, arguments: args, terminal }) {
    const id = args.required('id');
    await client.tokens.revoke(id);
    terminal.say(`token ${id} is revoked`);
    return 0;
  },
};
