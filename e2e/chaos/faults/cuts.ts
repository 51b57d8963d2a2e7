/**
 * Faults of the network between one process and what it needs: Redis and the store, where connections break and new ones
 * are refused or stand still, which is what a lost packet looks like; and a node that the api does not reach.
 */
import { portsOf } from '../../../infra/servers/free-port.ts';
import { ownOwner, tableOf } from '../owner.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import type { Fault, FaultContext } from './fault.ts';
import { cutPorts, mend } from './firewall.ts';
import { chooseTarget, pause, workers } from './processes.ts';

const cut = (links: (context: FaultContext) => ReadonlyMap<string, TcpProxy>, what: string): Fault => ({
  async strike(context) {
    const { random } = context;
    const [first, ...others] = links(context);
    if (first === undefined) return undefined;
    const [name, link] = random.pick([first, ...others]);
    const how = random.pick(['refuse', 'stall'] as const);
    link.break(how);
    await pauseAroundLease(context);
    link.mend();
    return `${name} from ${what} (${how})`;
  },
});

export const cutFromRedis = cut(({ world }) => world.redisLinks, 'redis');
export const cutFromStore = cut(({ world }) => world.store.links, 'the store');

/** The node's lease goes on meanwhile: it runs actors that nobody can call. */
export const cutFromApi: Fault = {
  async strike(context) {
    const worker = await chooseTarget(workers, context);
    const ports = worker === undefined ? [] : await portsOf(worker.pid);
    if (worker === undefined || ports.length === 0) return undefined;
    const how = context.random.pick(['drop', 'reject with tcp reset'] as const);
    const place = { table: tableOf(ownOwner()), chain: worker.name.replaceAll('-', '_') };
    await cutPorts(place, ports, how);
    await pauseAroundLease(context);
    await mend(place);
    return `${worker.name} from the api (${how})`;
  },
};

const pauseAroundLease = ({ random, leaseMs }: FaultContext): Promise<void> => pause(random, 100, leaseMs * 2.5);
