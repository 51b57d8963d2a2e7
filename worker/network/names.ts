/**
 * The names and addresses of a VM's network: everything a dead process may have left is found again by these names, so
 * each carries its owner. An owner is unique per node and home; `-` ends it, so no owner's names begin another's.
 */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

/** Where iproute2 keeps named namespaces. */
export const namespaceFolder = '/run/netns';

/** Inside each namespace names and guest address are the same: a restored guest needs no change. */
export const tapName = 'tap0';
export const uplinkName = 'uplink';
export const gatewayAddress = '169.254.9.1';
export const guestAddress = '169.254.9.2';

const ownerSchema = z.string().regex(/^[a-z0-9]{1,8}$/);

export function checkOwner(owner: string): string {
  if (ownerSchema.safeParse(owner).success) return owner;
  throw new DormouseError('invalid-input', `a network owner is 1 to 8 of a-z and 0-9, not ${JSON.stringify(owner)}`);
}

export const namespacePrefix = (owner: string): string => `dm-${owner}-`;
/** With an owner of 8 and a counter of 5 characters exactly the 15 that an interface name may have. */
export const interfacePrefix = (owner: string): string => `d${owner}-`;
export const hostTable = (owner: string): string => `dormouse_${owner}`;

// Base 36 in 5 characters: 60 million slots before a worker has to be restarted.
const counterLimit = 36 ** 5;

export interface SlotNames {
  readonly namespace: string;
  readonly namespacePath: string;
  readonly hostInterface: string;
}

export function slotNames(owner: string, counter: number): SlotNames {
  const suffix = (counter % counterLimit).toString(36);
  const namespace = namespacePrefix(owner) + suffix;
  return {
    namespace,
    namespacePath: `${namespaceFolder}/${namespace}`,
    hostInterface: interfacePrefix(owner) + suffix,
  };
}

export interface AddressPair {
  /** The host's end of the veth pair, and the namespace's default gateway. */
  readonly host: string;
  /** The namespace's end, which the host dials. */
  readonly slot: string;
}

/** The range for device benchmarks (RFC 2544): never on the internet, hardly ever on a local network. */
export const slotRange = '198.18.0.0/15';

/** A random even address of the range and its odd neighbour. The kernel says whether it is free: see slot.ts. */
export function randomAddressPair(): AddressPair {
  const offset = randomInt(1, 2 ** 16) * 2;
  const dotted = (value: number): string => `198.${18 + (value >>> 16)}.${(value >>> 8) & 255}.${value & 255}`;
  return { host: dotted(offset), slot: dotted(offset + 1) };
}
