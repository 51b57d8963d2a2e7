/** `dormouse events`: every state change, live, one line each (with `-o json`, one JSON object a line). */
import { positiveNumber } from '../arguments.ts';
import type { Command } from '../command.ts';
import { withoutControls } from '../table.ts';

export const watchEvents: Command = {
  name: 'events',
  summary: 'Follow every state change of actors, templates, nodes and operations',
  options: { count: { type: 'string', short: 'n', value: 'number', help: 'end after that many' } },
  example: 'dormouse events -o json | jq -r .state',
  async run({ client, arguments: args, terminal }) {
    let left = positiveNumber(args, 'count') ?? Infinity;
    for await (const change of client.events.watch()) {
      const text = `${new Date().toISOString()}  ${change.kind.padEnd(9)}  ${change.id}  ${change.state}`;
      terminal.line(terminal.format === 'json' ? JSON.stringify(change) : withoutControls(text));
      left -= 1;
      if (left <= 0) return 0;
    }
    terminal.say('the api ended the stream');
    return 1;
  },
};
