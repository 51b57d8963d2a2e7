/**
 * One VM's network: a namespace with a tap for the VMM and a veth pair to the host.
 *
 *   host ── d<owner>-<n> (A/32) ═══ uplink (B/32) ── namespace: nftables ── tap0 (169.254.9.1/30) ── guest (169.254.9.2)
 *
 * The host dials B. The kernel is the allocator of addresses: `ip route add` refuses a B that any process of the machine
 * holds, and another is tried. Nothing is written down; what a dead process left is found by name (sweep.ts).
 */
import { existsSync } from 'node:fs';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { namespaceRules } from './firewall.ts';
import {
  gatewayAddress,
  namespaceFolder,
  randomAddressPair,
  slotNames,
  tapName,
  uplinkName,
  type AddressPair,
  type SlotNames,
} from './names.ts';
import { isTaken, runNetworkCommand } from './network-command.ts';

export interface Slot extends SlotNames {
  readonly addresses: AddressPair;
}

// 65,535 pairs: even with half of them taken, 40 tries in a row all fail once in 10^12.
const attemptLimit = 40;

/** Takes the next free name and address. Throws `network-failed` or the signal's reason, and leaves nothing behind then. */
export async function buildSlot(owner: string, nextCounter: () => number, signal: AbortSignal): Promise<Slot> {
  for (let attempt = 0; attempt < attemptLimit; attempt++) {
    signal.throwIfAborted();
    try {
      return await tryBuildSlot(slotNames(owner, nextCounter()), signal);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  throw new DormouseError('network-failed', `no free network address after ${attemptLimit} tries`);
}

async function tryBuildSlot(names: SlotNames, signal: AbortSignal): Promise<Slot> {
  const slot: Slot = { ...names, addresses: randomAddressPair() };
  await runNetworkCommand({ command: ['ip', 'netns', 'add', slot.namespace] });
  try {
    await configureSlot(slot, signal);
    return slot;
  } catch (error) {
    await destroySlot(slot);
    throw error;
  }
}

async function configureSlot(slot: Slot, signal: AbortSignal): Promise<void> {
  const inside = ['nsenter', `--net=${slot.namespacePath}`, '--'] as const;
  await runNetworkCommand({ command: ['ip', '-batch', '-'], input: hostSide(slot) });
  signal.throwIfAborted();
  await Promise.all([
    runNetworkCommand({ command: [...inside, 'ip', '-batch', '-'], input: namespaceSide(slot.addresses) }),
    runNetworkCommand({ command: [...inside, 'nft', '-f', '-'], input: namespaceRules(slot.addresses.slot) }),
    // /proc/sys/net shows the namespace of whoever writes it, so the writer has to be inside.
    runNetworkCommand({ command: [...inside, 'tee', '--', ...switches()], input: '1' }),
  ]);
}

/** Kernel switches to set to 1: forward IPv4 to the tap; no IPv6 at all (it exists only where the host has it). */
function switches(): string[] {
  const ipv6 = ['all', 'default'].map((name) => `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`);
  return ['/proc/sys/net/ipv4/ip_forward', ...ipv6.filter((file) => existsSync(file))];
}

const hostSide = ({ namespace, hostInterface, addresses }: Slot): string => `
link add ${hostInterface} type veth peer name ${uplinkName} netns ${namespace}
address add ${addresses.host}/32 dev ${hostInterface}
link set ${hostInterface} up
route add ${addresses.slot}/32 dev ${hostInterface} src ${addresses.host}
`;

const namespaceSide = (addresses: AddressPair): string => `
link set lo up
tuntap add dev ${tapName} mode tap
address add ${gatewayAddress}/30 dev ${tapName}
link set ${tapName} up
address add ${addresses.slot}/32 dev ${uplinkName}
link set ${uplinkName} up
route add ${addresses.host}/32 dev ${uplinkName}
route add default via ${addresses.host} dev ${uplinkName}
`;

/** The host's end first: the kernel takes a namespace apart later, in its own time, but a link at once. */
export async function destroySlot(slot: SlotNames): Promise<void> {
  await removeNetworks([slot.hostInterface], [slot.namespace]);
}

/** Removes what is there of these; what is already gone, or goes meanwhile, is no error. */
export async function removeNetworks(interfaces: readonly string[], namespaces: readonly string[]): Promise<void> {
  await removeAll('link', interfaces, '/sys/class/net');
  await removeAll('netns', namespaces, namespaceFolder);
}

async function removeAll(kind: 'link' | 'netns', names: readonly string[], folder: string): Promise<void> {
  const present = names.filter((name) => existsSync(`${folder}/${name}`));
  if (present.length === 0) return;
  const input = present.map((name) => `${kind} delete ${name}\n`).join('');
  try {
    await runNetworkCommand({ command: ['ip', '-force', '-batch', '-'], input });
  } catch (error) {
    if (present.some((name) => existsSync(`${folder}/${name}`))) throw error;
  }
}
