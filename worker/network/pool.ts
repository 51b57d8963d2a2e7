/**
 * Ready-made VM networks. Making one takes several processes, so `size` of them wait, made in the background; acquiring
 * one costs nothing unless it has egress rules. A released slot is destroyed, never used again: nothing of one actor's
 * connections reaches the next.
 *
 * Failures: `network-failed` from acquire when none was ready and none could be made. A failure in the background is
 * logged; the next acquire tries again. Disposing the pool destroys every slot of it, handed out or not.
 */
import type { Logger } from '../../shared/telemetry/logger.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { closeEgress, openEgress } from './egress.ts';
import { checkEgress, hostRules, removeHostRules, type Egress } from './firewall.ts';
import { checkOwner, tapName } from './names.ts';
import { runNetworkCommand } from './network-command.ts';
import { buildSlot, destroySlot, type Slot } from './slot.ts';

export interface NetworkSlot extends AsyncDisposable {
  readonly namespace: string;
  /** For `nsenter --net=`. */
  readonly namespacePath: string;
  /** A persistent tap in the namespace, for `-netdev tap,ifname=…,script=no,downscript=no`. */
  readonly tapName: string;
  /** IPv4 address on this host; every TCP port of it is the guest's. */
  readonly address: string;
}

export interface NetworkPool extends AsyncDisposable {
  acquire(options: { readonly egress: Egress; readonly signal: AbortSignal }): Promise<NetworkSlot>;
  /** How many slots wait. */
  readonly ready: number;
}

export interface NetworkPoolOptions {
  /** 1 to 8 of a-z and 0-9, unique per node and home on the machine. */
  readonly owner: string;
  readonly size: number;
  readonly log: Logger;
}

export async function createNetworkPool(options: NetworkPoolOptions): Promise<NetworkPool> {
  checkOwner(options.owner);
  await runNetworkCommand({ command: ['nft', '-f', '-'], input: hostRules(options.owner) });
  const pool = new Pool(options);
  pool.refill();
  return pool;
}

class Pool implements NetworkPool {
  readonly #owner: string;
  readonly #size: number;
  readonly #log: Logger;
  readonly #waiting: Slot[] = [];
  readonly #handedOut = new Set<NetworkSlot>();
  readonly #closing = new AbortController();
  readonly #building = new Set<Promise<unknown>>();
  #counter = 0;
  #refilling: Promise<void> | undefined;

  constructor({ owner, size, log }: NetworkPoolOptions) {
    this.#owner = owner;
    this.#size = size;
    this.#log = log;
  }

  get ready(): number {
    return this.#waiting.length;
  }

  async acquire({ egress, signal }: { egress: Egress; signal: AbortSignal }): Promise<NetworkSlot> {
    const checked = checkEgress(egress);
    signal.throwIfAborted();
    if (this.#closing.signal.aborted) throw new DormouseError('shutting-down', 'the network pool is closed');
    const slot = this.#waiting.shift() ?? (await this.#build(signal));
    this.refill();
    const handedOut = this.#handOut(slot, checked);
    await openEgress(this.#owner, slot, checked, this.#log).catch(async (error: unknown) => {
      await handedOut[Symbol.asyncDispose]();
      throw error;
    });
    return handedOut;
  }

  /** One slot at a time: the machine's work is running actors. */
  refill(): void {
    this.#refilling ??= this.#fill()
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.#log.warn({ err: error }, 'could not prepare a network slot');
      })
      .finally(() => (this.#refilling = undefined));
  }

  async #fill(): Promise<void> {
    while (this.#waiting.length < this.#size && !this.#closing.signal.aborted) {
      this.#waiting.push(await this.#build(this.#closing.signal));
    }
  }

  async #build(signal: AbortSignal): Promise<Slot> {
    const building = buildSlot(this.#owner, () => ++this.#counter, AbortSignal.any([signal, this.#closing.signal]));
    this.#building.add(building);
    return building.finally(() => this.#building.delete(building));
  }

  #handOut(slot: Slot, egress: Egress): NetworkSlot {
    let released: Promise<void> | undefined;
    const handedOut: NetworkSlot = {
      namespace: slot.namespace,
      namespacePath: slot.namespacePath,
      tapName,
      address: slot.addresses.slot,
      [Symbol.asyncDispose]: () =>
        (released ??= this.#release(slot, egress).finally(() => this.#handedOut.delete(handedOut))),
    };
    this.#handedOut.add(handedOut);
    return handedOut;
  }

  async #release(slot: Slot, egress: Egress): Promise<void> {
    await destroySlot(slot);
    await closeEgress(this.#owner, slot, egress);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DormouseError('shutting-down', 'the network pool is closed'));
    await this.#refilling;
    await Promise.allSettled(this.#building);
    const waiting = this.#waiting.splice(0).map((slot) => destroySlot(slot));
    const handedOut = [...this.#handedOut].map((slot) => slot[Symbol.asyncDispose]());
    const results = await Promise.allSettled([...waiting, ...handedOut]);
    await runNetworkCommand({ command: ['nft', '-f', '-'], input: removeHostRules(this.#owner) });
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (errors.length > 0) throw new AggregateError(errors, 'some network slots could not be removed');
  }
}
