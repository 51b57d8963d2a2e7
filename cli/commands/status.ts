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
        ...verdicts(report),
        nodes: `${alive.length} alive of ${nodes.length}`,
        running: `${usedSlots} of ${slots} slots`,
      },
    );
    return ready ? 0 : 1;
  },
};

/** What the api said about each thing it needs: `ok`, or what is wrong with it. */
function verdicts(report: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const checks = Object.entries(report).flatMap(([name, check]): [string, unknown][] => {
    if (typeof check !== 'object' || check === null || !('ok' in check)) return [];
    const words = 'detail' in check ? check.detail : 'not ok';
    return [[name === 'nodes' ? 'placement' : name, check.ok === true ? 'ok' : words]];
  });
  return Object.fromEntries(checks);
}
