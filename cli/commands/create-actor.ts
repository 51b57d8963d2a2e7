/** `dormouse actor create`: adds an actor; nothing starts. */
import { UsageError, type Command } from '../command.ts';
import { showActorOn } from './show-actor.ts';

export const createActor: Command = {
  name: 'actor create',
  summary: 'Create an actor; nothing starts until it is called',
  positionals: ['[id]'],
  options: {
    template: { type: 'string', short: 't', value: 'name', help: 'what it is made from (required)' },
    label: { type: 'string', short: 'l', multiple: true, value: 'name=value', help: 'may be given several times' },
    'cold-start': { type: 'boolean', help: "its first start boots a VM instead of cloning the template's golden" },
  },
  example: 'dormouse actor create alice --template counter --label team=blue',
  async run({ client, arguments: args, terminal }) {
    const template = args.option('template');
    if (template === undefined) throw new UsageError('--template is missing');
    const labels = Object.fromEntries(args.options('label').map(parseLabel));
    const coldStart = args.flag('cold-start') ? true : undefined;
    showActorOn(terminal, await client.actors.create({ id: args.optional('id'), template, labels, coldStart }));
    return 0;
  },
};

function parseLabel(label: string): [string, string] {
  const at = label.indexOf('=');
  if (at < 1) throw new UsageError(`--label takes name=value, not ${label}`);
  return [label.slice(0, at), label.slice(at + 1)];
}
