/** `dormouse actor explain`: why an actor is as it is, and the events that led there. */
import type { Command } from '../command.ts';
import { formatTable } from '../table.ts';

export const explainActor: Command = {
  name: 'actor explain',
  summary: 'Explain why an actor is in its state, what it waits for and what happens then',
  positionals: ['<id>'],
  example: 'dormouse actor explain alice',
  async run({ client, arguments: args, terminal }) {
    const explanation = await client.actors.explain(args.required('id'));
    const { events = [], ...facts } = explanation;
    terminal.show(explanation, facts);
    if (terminal.format === 'json' || events.length === 0) return 0;
    const names = [...new Set(events.flatMap((event) => Object.keys(event)))];
    const columns = names.map((name) => [name.toUpperCase(), (event: (typeof events)[number]) => event[name]] as const);
    terminal.line(`\n${formatTable(events, columns, { head: true })}`);
    return 0;
  },
};
