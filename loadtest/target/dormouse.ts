/** Dormouse as a target, through its public API alone. */
import { startHeader } from '../../sdk/actor-call.ts';
import type { DormouseClient } from '../../sdk/client.ts';
import type { MadeThings } from '../made-things.ts';
import { startKindSchema } from '../result/result.ts';
import { phasesOf } from '../server-timing.ts';
import type { Answer, Placement, Slept, Target } from './target.ts';

/** A suspend ships its snapshot to the store; the api's own limit for that is two minutes. */
const suspendLimitMs = 130_000;

/** Dormouse itself, for what only it can do; a plain endpoint has none. */
export interface Platform {
  readonly client: DormouseClient;
  readonly made: MadeThings;
}

export function dormouseTarget({ client, made }: Platform, template: string): Target {
  return {
    url: client.url,
    create: (options, signal) => made.actor(options.template ?? template, { coldStart: options.coldStart }, signal),
    remove: (actor) => made.remove(actor),
    call: async (actor, path, signal) => answerOf(await client.actor(actor).fetch(path, { signal })),
    sleep: (actor, signal) => suspend(client, actor, signal),
    placement: placementOf(client),
  };
}

/** Reads the body to its end: an answer that breaks off is none. */
export async function answerOf(response: Response): Promise<Answer> {
  await response.arrayBuffer();
  const start = startKindSchema.safeParse(response.headers.get(startHeader));
  return {
    status: response.status,
    ...(start.success ? { start: start.data } : {}),
    phases: phasesOf(response.headers.get('server-timing')),
  };
}

async function suspend(client: DormouseClient, actor: string, signal: AbortSignal): Promise<Slept> {
  // The api waits too, so that a suspend that fails is reported with its own reason.
  await client.actors.suspend(actor, { signal, waitMs: suspendLimitMs });
  const { sizes } = await client.actors.wait(actor, 'suspended', { signal, timeoutMs: suspendLimitMs });
  const shippedBytes = sizes?.['shippedBytes'];
  return shippedBytes === undefined ? {} : { shippedBytes };
}

const placementOf = (client: DormouseClient): Placement => ({
  async readyNodes(signal) {
    const nodes = await client.nodes.list({ signal });
    return nodes.filter((node) => node.state === 'ready' && node.leaseMs > 0).map((node) => node.id);
  },
  nodeOf: async (actor, signal) => (await client.actors.get(actor, { signal })).node,
  wakeOn: async (actor, node, signal) => {
    await client.actors.resume(actor, { node, signal });
  },
});
