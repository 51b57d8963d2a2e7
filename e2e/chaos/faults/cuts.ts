/** Faults of the network between one process and Redis or the store: its connections break and new ones are refused, or
 * stand still, which is what a lost packet looks like. */
import type { Fault, FaultContext } from './fault.ts';
import { pause } from './processes.ts';
import type { TcpProxy } from '../tcp-proxy.ts';

const cut = (links: (context: FaultContext) => ReadonlyMap<string, TcpProxy>, what: string): Fault => ({
  async strike(context) {
    const { random, leaseMs } = context;
    const [first, ...others] = links(context);
    if (first === undefined) return undefined;
    const [name, link] = random.pick([first, ...others]);
    const how = random.pick(['refuse', 'stall'] as const);
    link.break(how);
    await pause(random, 100, leaseMs * 2.5);
    link.mend();
    return `${name} from ${what} (${how})`;
  },
});

export const cutFromRedis = cut(({ world }) => world.redisLinks, 'redis');
export const cutFromStore = cut(({ world }) => world.storeLinks, 'the store');
