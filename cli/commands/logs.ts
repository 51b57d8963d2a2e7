/** `dormouse logs`: what the containers of an actor wrote. It wakes nobody, and follows across sleeps and nodes. */
import { UsageError, type Command } from '../command.ts';
import type { LogLine } from '../../sdk/logs.ts';
import { withoutControls } from '../table.ts';

export const showLogs: Command = {
  name: 'logs',
  summary: 'Show what an actor wrote, asleep or awake; with -f, also what it goes on to write',
  positionals: ['<id>'],
  options: {
    follow: { type: 'boolean', short: 'f', help: 'go on, across its sleeps and nodes, until it is deleted' },
    tail: { type: 'string', value: 'lines', help: 'of what there is, only the last lines' },
    since: { type: 'string', value: 'instant', help: 'only what was written after, e.g. 2030-01-01T12:00:00Z' },
    container: { type: 'string', short: 'c', value: 'name', help: 'only that of one container' },
    timestamps: { type: 'boolean', short: 't', help: 'begin each line with its time' },
  },
  example: 'dormouse logs alice -f --tail 20',
  async run({ client, arguments: args, terminal, signal }) {
    const options = {
      follow: args.flag('follow'),
      tail: wholeNumber(args.option('tail')),
      since: args.option('since'),
      container: args.option('container'),
      signal,
    };
    for await (const line of client.actor(args.required('id')).logs(options)) {
      terminal.record(line, textOf(line, args.flag('timestamps')));
    }
    return 0;
  },
};

/** Nothing in a line may move the cursor or colour the screen; a tab may stand. */
const textOf = ({ at, text }: LogLine, timestamps: boolean): string =>
  `${timestamps ? `${at} ` : ''}${text.split('\t').map(withoutControls).join('\t')}`;

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new UsageError(`--tail takes a number of lines, not ${text}`);
  return Number(text);
}
