/** `dormouse nodes`: the machines that run actors. */
import type { Command } from '../command.ts';
import { age } from '../table.ts';

export const listNodes: Command = {
  name: 'nodes',
  summary: 'List the nodes with their room and lease',
  example: 'dormouse nodes',
  async run({ client, terminal }) {
    terminal.list(await client.nodes.list(), [
      ['NODE', (node) => node.id],
      ['STATE', (node) => (node.leaseMs > 0 ? node.state : 'lost')],
      ['SLOTS', (node) => `${node.usedSlots}/${node.slots}`],
      ['MEMORY MIB', (node) => `${node.usedMemoryMiB}/${node.memoryMiB}`],
      ['LEASE MS', (node) => node.leaseMs],
      ['UP', (node) => age(node.startedAt)],
      ['RUNTIME', ({ runtime }) => [runtime['arch'], runtime['accelerator'], runtime['vmmVersion']].join(' ')],
    ]);
    return 0;
  },
};
