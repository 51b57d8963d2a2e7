/** `dormouse nodes`, `dormouse node drain|undrain`: the machines that run actors. */
import type { Node } from '../../sdk/nodes.ts';
import type { Command } from '../command.ts';
import { age } from '../table.ts';
import type { Terminal } from '../terminal.ts';

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
      ['POOL', (node) => poolOf(node)],
      ['LEASE MS', (node) => node.leaseMs],
      ['UP', (node) => age(node.startedAt)],
      ['RUNTIME', ({ runtime }) => [runtime.arch, runtime.accelerator, runtime.vmmVersion].join(' ')],
    ]);
    return 0;
  },
};

/** Sandboxes in waiting, by template. */
const poolOf = ({ pool }: Node): string | undefined =>
  pool.length === 0 ? undefined : pool.map(({ template, ready }) => `${template}=${ready}`).join(' ');

export const drainNode: Command = {
  name: 'node drain',
  summary: 'Suspend all actors of a node and give it no more; it stays up',
  positionals: ['<id>'],
  example: 'dormouse node drain node-2',
  async run({ client, arguments: args, terminal }) {
    showOrdered(terminal, await client.nodes.drain(args.required('id')));
    return 0;
  },
};

export const undrainNode: Command = {
  name: 'node undrain',
  summary: 'Give a drained node actors again',
  positionals: ['<id>'],
  example: 'dormouse node undrain node-2',
  async run({ client, arguments: args, terminal }) {
    showOrdered(terminal, await client.nodes.undrain(args.required('id')));
    return 0;
  },
};

const showOrdered = (terminal: Terminal, node: Node): void =>
  terminal.show(node, { node: node.id, state: node.state, 'actors left': node.usedSlots });
