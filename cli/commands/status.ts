/** `dormouse status`: one look at whether the platform can serve. Exit code 1 when it cannot. */
import type { Command } from '../command.ts';

export const status: Command = {
  name: 'status',
  summary: 'Show whether the platform is ready, and its nodes',
  example: 'dormouse status',
  async run({ client, terminal }) {
    const { ready, report } = await client.health.ready();
    const [version, nodes] = await Promise.all([client.health.version(), client.nodes.list()]);
    const alive = nodes.filter((node) => node.leaseMs > 0);
    const usedSlots = alive.reduce((sum, node) => sum + node.usedSlots, 0);
    const slots = alive.reduce((sum, node) => sum + node.slots, 0);
    terminal.show(
      { url: client.url, ready, version, report, nodes },
      {
        url: client.url,
        version,
        ready: ready ? 'yes' : 'no',
        ...report,
        nodes: `${alive.length} alive of ${nodes.length}`,
        running: `${usedSlots} of ${slots} slots`,
      },
    );
    return ready ? 0 : 1;
  },
};
