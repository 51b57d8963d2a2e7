/**
 * The nftables rules around a VM, as text for `nft -f -`.
 *
 * In the namespace: TCP to the slot's address goes to the guest, which always sees the gateway as its peer. What the guest
 * begins is dropped, but for the networks its template's egress names.
 * On the host, one table per owner: the guests' side of the host is closed whatever other rules or IP forwarding are set;
 * nothing but the host itself may dial a guest (no neighbour that routes through this machine); guests do not reach each
 * other, nor link-local addresses (cloud metadata); an address of the host itself only if egress names it as a /32.
 */
import { z } from 'zod';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { gatewayAddress, guestAddress, hostTable, interfacePrefix, slotRange, tapName, uplinkName } from './names.ts';

/** What a guest may open connections to: IPv4 networks in CIDR notation. Empty: nothing. */
export interface Egress {
  readonly allow: readonly string[];
}

const egressSchema = z.object({ allow: z.array(z.cidrv4()) });

export function checkEgress(egress: Egress): Egress {
  const parsed = egressSchema.safeParse(egress);
  if (parsed.success) return parsed.data;
  throw new DormouseError('invalid-input', 'egress.allow holds IPv4 networks such as 10.1.0.0/16', {
    errors: parsed.error.issues.map((issue) => ({ field: `egress.${issue.path.join('.')}`, message: issue.message })),
  });
}

export const namespaceRules = (slotAddress: string): string => `
table inet dormouse {
  chain prerouting {
    type nat hook prerouting priority dstnat
    iifname ${uplinkName} ip daddr ${slotAddress} meta l4proto tcp dnat ip to ${guestAddress}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname ${tapName} masquerade
    oifname ${uplinkName} masquerade
  }
  chain input {
    type filter hook input priority filter; policy drop
    iifname lo accept
    ct state established,related accept
    icmp type echo-request ip daddr ${gatewayAddress} accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop
    ct state established,related accept
    iifname ${uplinkName} ct status dnat accept
  }
}
`;

export const namespaceEgressRules = (egress: Egress): string =>
  egress.allow
    .map(
      (network) =>
        `add rule inet dormouse forward iifname ${tapName} ip saddr ${guestAddress} ip daddr ${network} accept\n`,
    )
    .join('');

export function hostRules(owner: string): string {
  const guests = `"${interfacePrefix(owner)}*"`;
  return `${removeHostRules(owner)}
table inet ${hostTable(owner)} {
  set egress { type ipv4_addr; }
  set host_egress { type ipv4_addr . ipv4_addr; }
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr @egress masquerade
  }
  chain input {
    type filter hook input priority filter
    iifname ${guests} ct state established,related accept
    iifname ${guests} ip saddr . ip daddr @host_egress accept
    iifname ${guests} drop
  }
  chain forward {
    type filter hook forward priority filter
    oifname ${guests} ct state established,related accept
    oifname ${guests} drop
    iifname ${guests} ip daddr { ${slotRange}, 169.254.0.0/16 } drop
    iifname ${guests} ip saddr @egress accept
    iifname ${guests} drop
  }
}
`;
}

/** Declared first, so that deleting works whether it was there or not. */
export const removeHostRules = (owner: string): string =>
  `table inet ${hostTable(owner)}\ndelete table inet ${hostTable(owner)}\n`;

/** Host-side entries for one slot. Nothing else uses its address, so adding first makes deleting work in any state. */
export function hostEgressElements(verb: 'add' | 'delete', owner: string, slotAddress: string, egress: Egress): string {
  const hosts = new Set(
    egress.allow.filter((network) => network.endsWith('/32')).map((network) => network.slice(0, -3)),
  );
  const table = `inet ${hostTable(owner)}`;
  const elements = [
    `${table} egress { ${slotAddress} }`,
    ...[...hosts].map((host) => `${table} host_egress { ${slotAddress} . ${host} }`),
  ];
  const verbs = verb === 'add' ? ['add'] : ['add', 'delete'];
  return verbs.flatMap((each) => elements.map((element) => `${each} element ${element}\n`)).join('');
}
