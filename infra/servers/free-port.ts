/**
 * Ports of 127.0.0.1. A free one is free again before the server takes it, so whoever starts a
 * server must expect to lose that race now and then and try with another port (local-server.ts does).
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { freePorts } from '../../shared/process/free-ports.ts';

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** `/proc/net/tcp` writes 127.0.0.1 as the little-endian hexadecimal number, and the state LISTEN as 0A. */
const loopback = '0100007F';
const listening = '0A';

/**
 * Whether this very process listens on the port. Asking the port itself would not do: after a lost race another
 * program's server answers there.
 */
export const listensOn = async (pid: number, port: number): Promise<boolean> => (await portsOf(pid)).includes(port);

/** The ports that this very process listens on. */
export async function portsOf(pid: number): Promise<number[]> {
  const files = new Set(await openFiles(pid));
  return (await readFile('/proc/net/tcp', 'utf8')).split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [address, port = ''] = local.split(':');
    if (address !== loopback || state !== listening || !files.has(`socket:[${inode}]`)) return [];
    return [Number.parseInt(port, 16)];
  });
}

/** What the descriptors of a process point to; a process that has just ended has none. */
async function openFiles(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  return Promise.all(descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
}
