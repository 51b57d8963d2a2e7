/**
 * Opens the way out for one slot, in its namespace and on the host, and closes the host's part again (the namespace's
 * part goes with the namespace). Failures: `network-failed`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import { hostEgressElements, namespaceEgressRules, type Egress } from './firewall.ts';
import { runNetworkCommand } from './network-command.ts';
import type { Slot } from './slot.ts';

const forwardingSwitch = '/proc/sys/net/ipv4/ip_forward';

export async function openEgress(owner: string, slot: Slot, egress: Egress, log: Logger): Promise<void> {
  if (egress.allow.length === 0) return;
  await enableForwarding(log);
  // The namespace last: what it lets out before the host knows of it would be dropped there.
  await changeHostElements('add', owner, slot, egress);
  await runNetworkCommand({
    command: ['nsenter', `--net=${slot.namespacePath}`, '--', 'nft', '-f', '-'],
    input: namespaceEgressRules(egress),
  });
}

export async function closeEgress(owner: string, slot: Slot, egress: Egress): Promise<void> {
  if (egress.allow.length > 0) await changeHostElements('delete', owner, slot, egress);
}

async function changeHostElements(verb: 'add' | 'delete', owner: string, slot: Slot, egress: Egress): Promise<void> {
  const input = hostEgressElements(verb, owner, slot.addresses.slot, egress);
  await runNetworkCommand({ command: ['nft', '-f', '-'], input });
}

/** Left on afterwards: other programs may rely on it by then, and the host's table closes the guests' side anyway. */
async function enableForwarding(log: Logger): Promise<void> {
  if ((await readFile(forwardingSwitch, 'utf8')).trim() === '1') return;
  log.warn({ file: forwardingSwitch }, 'a template has egress: turning on IPv4 forwarding of this host');
  await writeFile(forwardingSwitch, '1').catch((error: unknown) => {
    throw new DormouseError('network-failed', `cannot write ${forwardingSwitch}: run as root of the host`, {
      cause: error,
    });
  });
}
