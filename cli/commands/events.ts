/** `dormouse events`: every state change, live, one line each (with `-o json`, one JSON object a line). */
import { allNamespaces, positiveNumber } from '../arguments.ts';
import type { Change } from '../../sdk/events.ts';
import type { Command } from '../command.ts';
import { withoutControls } from '../table.ts';

export const watchEvents: Command = {
  name: 'events',
  summary: 'Show every state change of actors, templates and nodes, as it happens',
  options: {
    follow: { type: 'boolean', short: 'f', help: 'accepted for habit: it always follows' },
    actor: { type: 'string', value: 'id', help: 'only events of this actor' },
    after: { type: 'string', value: 'event', help: 'go on after this event; 0-0: from the oldest that is kept' },
    count: { type: 'string', value: 'number', help: 'end after that many' },
    ...allNamespaces,
  },
  example: 'dormouse events -f -o json | jq -r .to',
  async run({ client, arguments: args, terminal, signal }) {
    let left = positiveNumber(args, 'count') ?? Infinity;
    const options = { after: args.option('after'), actor: args.option('actor'), signal };
    for await (const change of client.events.watch(options)) {
      terminal.record(change, withoutControls(lineOf(change)));
      left -= 1;
      if (left <= 0) break;
    }
    return 0;
  },
};

function lineOf(change: Change): string {
  const { type, namespace, at = '', from = '', to = '', cause = '' } = change;
  if (type === 'gap') return 'some events before this are no longer kept';
  const name = change[type] ?? '';
  const whole = namespace === undefined || namespace === 'default' ? name : `${namespace}/${name}`;
  return `${at}  ${type.padEnd(9)}  ${whole}  ${from === '' ? to : `${from} → ${to}`}  ${cause}`;
}
