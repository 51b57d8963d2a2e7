/** `dormouse rebuild`: the registry is read back from the store. Exit code 1 when something in the store is damaged. */
import type { Command } from '../command.ts';
import { timeoutMs } from './follow-operation.ts';

/** The api gives a rebuild an hour. */
const defaultTimeoutMs = 3600 * 1000;

export const rebuild: Command = {
  name: 'rebuild',
  summary: 'Read the registry back from the store; the platform does so by itself when Redis was lost',
  options: { timeout: { type: 'string', value: 'seconds', help: 'how long to wait for its end (3600)' } },
  example: 'dormouse rebuild',
  async run(context) {
    const { client, terminal } = context;
    const begun = await client.admin.rebuild();
    const { id, counts = {} } = await client.operations.wait(begun.id, {
      signal: context.signal,
      timeoutMs: timeoutMs(context) ?? defaultTimeoutMs,
      onProgress: ({ state, counts: soFar = {} }) => terminal.progress(`rebuild: ${state}`, countText(soFar)),
    });
    terminal.show({ id, counts }, { operation: id, ...counts });
    const damaged = counts['damaged'] ?? 0;
    if (damaged > 0) terminal.say(`${damaged} actors or templates cannot be read: "dormouse fsck" names their objects`);
    return damaged > 0 ? 1 : 0;
  },
};

const countText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
