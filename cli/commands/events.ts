/** `dormouse events`: every state change, live, one line each (with `-o json`, one JSON object a line). */
import { positiveNumber } from '../arguments.ts';
import type { Change } from '../../sdk/events.ts';
import type { Command } from '../command.ts';
import { withoutControls } from '../table.ts';

export const watchEvents: Command = {
  name: 'events',
  summary: 'Follow every state change of actors, templates and nodes',
  options: { count: { type: 'string', short: 'n', value: 'number', help: 'end after that many' } },
  example: 'dormouse events -o json | jq -r .to',
  async run({ client, arguments: args, terminal }) {
    let left = positiveNumber(args, 'count') ?? Infinity;
    for await (const change of client.events.watch()) {
      terminal.line(terminal.format === 'json' ? JSON.stringify(change) : withoutControls(lineOf(change)));
      left -= 1;
      if (left <= 0) return 0;
    }
    terminal.say('the api ended the stream');
    return 1;
  },
};

function lineOf(change: Change): string {
  const { type, at = '', from = '', to = '', cause = '' } = change;
  if (type === 'gap') return 'some events before this are no longer kept';
  return `${at}  ${type.padEnd(9)}  ${change[type] ?? ''}  ${from === '' ? to : `${from} → ${to}`}  ${cause}`;
}
