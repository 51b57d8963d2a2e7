/**
 * Removes what dead processes of an owner left: namespaces, veth pairs, the host's nftables table. Run when a worker
 * starts and when it has stopped; never while a pool of the same owner is in use.
 */
import { readdir } from 'node:fs/promises';
import { removeHostRules } from './firewall.ts';
import { checkOwner, interfacePrefix, namespaceFolder, namespacePrefix } from './names.ts';
import { runNetworkCommand } from './network-command.ts';
import { removeNetworks } from './slot.ts';

export interface SweptNetworks {
  readonly interfaces: readonly string[];
  readonly namespaces: readonly string[];
}

/** What stands under the owner's names now. */
export async function listNetworks(owner: string): Promise<SweptNetworks> {
  checkOwner(owner);
  const [interfaces, namespaces] = await Promise.all([
    namesIn('/sys/class/net', interfacePrefix(owner)),
    namesIn(namespaceFolder, namespacePrefix(owner)),
  ]);
  return { interfaces, namespaces };
}

/** Returns what it removed. Throws `network-failed` when something could not be removed. */
export async function sweepNetworks(owner: string): Promise<SweptNetworks> {
  const found = await listNetworks(owner);
  await removeNetworks(found.interfaces, found.namespaces);
  await runNetworkCommand({ command: ['nft', '-f', '-'], input: removeHostRules(owner) });
  return found;
}

/** A folder that is not there holds nothing: iproute2 makes its folder with the first namespace. */
async function namesIn(folder: string, prefix: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.startsWith(prefix));
}
