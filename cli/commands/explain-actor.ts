/** `dormouse actor explain`: why an actor is as it is, and the events that led there. */
import type { Command } from '../command.ts';

export const explainActor: Command = {
  name: 'actor explain',
  summary: 'Explain why an actor is in its state, what it waits for and what happens then',
  positionals: ['<id>'],
  example: 'dormouse actor explain alice',
  async run({ client, arguments: args, terminal }) {
    const explanation = await client.actors.explain(args.required('id'));
    const { events, lastError, ...facts } = explanation;
    const error = lastError && `${lastError.code}: ${lastError.message}`;
    terminal.show(explanation, { ...facts, lastError: error });
    if (terminal.format !== 'table' || events.length === 0) return 0;
    terminal.line('');
    terminal.list(events, [
      ['AT', (event) => event.at],
      ['STATE', (event) => event.state],
      ['NODE', (event) => event.node],
      ['EPOCH', (event) => event.epoch],
      ['REASON', (event) => event.reason],
    ]);
    return 0;
  },
};
