/**
 * Packets that do not arrive, by a firewall table of the run's own with a chain for each node. All processes of a run share
 * one network namespace and speak over its loopback, so a node is cut off from the api by the ports that its worker
 * listens on: nobody else reaches it there.
 */
import { execa } from 'execa';

/** `drop` is a network that is away, `reject` one that says so. */
export type Verdict = 'drop' | 'reject with tcp reset';

export interface Cut {
  readonly table: string;
  readonly chain: string;
}

/** Until it is mended, nothing gets to these ports, connections that are open included. */
export const cutPorts = (cut: Cut, ports: readonly number[], verdict: Verdict): Promise<void> =>
  load(`${removal(cut)}
table inet ${cut.table} {
  chain ${cut.chain} {
    type filter hook input priority filter
    iifname lo tcp dport { ${ports.join(', ')} } ${verdict}
  }
}
`);

export const mend = (cut: Cut): Promise<void> => load(removal(cut));

/** Also when there is none: deleting what is not there is an error, declaring what is there is none. */
export const removeTable = (table: string): Promise<void> => load(`table inet ${table}\ndelete table inet ${table}\n`);

const removal = ({ table, chain }: Cut): string =>
  `table inet ${table} {\n  chain ${chain} { }\n}\ndelete chain inet ${table} ${chain}\n`;

async function load(rules: string): Promise<void> {
  await execa('nft', ['-f', '-'], { input: rules });
}
