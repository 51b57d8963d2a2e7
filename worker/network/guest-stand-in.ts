/**
 * For tests: a namespace that takes the guest's place behind a slot's tap. The tap is replaced by a veth pair whose far
 * end holds the guest's address, so every rule of the slot applies to it as to a VM.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { gatewayAddress, guestAddress, namespaceFolder, tapName } from './names.ts';
import { runNetworkCommand } from './network-command.ts';
import type { NetworkSlot } from './pool.ts';

export interface GuestStandIn extends AsyncDisposable {
  /** Runs a Node.js program inside; resolves with its first line of output. */
  run(source: string): Promise<string>;
}

export async function createGuestStandIn(slot: NetworkSlot): Promise<GuestStandIn> {
  const namespace = `${slot.namespace}-guest`;
  await runNetworkCommand({ command: ['ip', 'netns', 'add', namespace] });
  await batchIn(
    slot.namespacePath,
    `link delete ${tapName}
link add ${tapName} type veth peer name eth0 netns ${namespace}
address add ${gatewayAddress}/30 dev ${tapName}
link set ${tapName} up`,
  );
  const namespacePath = `${namespaceFolder}/${namespace}`;
  await batchIn(
    namespacePath,
    `link set lo up
address add ${guestAddress}/30 dev eth0
link set eth0 up
route add default via ${gatewayAddress}`,
  );
  const children: ChildProcess[] = [];
  return {
    run: (source) => runInside(namespacePath, source, children),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(children.map(endChild));
      await runNetworkCommand({ command: ['ip', 'netns', 'delete', namespace] });
    },
  };
}

const batchIn = (namespacePath: string, input: string): Promise<void> =>
  runNetworkCommand({ command: ['nsenter', `--net=${namespacePath}`, '--', 'ip', '-batch', '-'], input: `${input}\n` });

async function runInside(namespacePath: string, source: string, children: ChildProcess[]): Promise<string> {
  const args = [`--net=${namespacePath}`, '--', 'setpriv', '--pdeathsig', 'KILL', '--', process.execPath, '-e', source];
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += chunk as string;
    if (output.includes('\n')) break;
  }
  child.stdout.resume();
  return output.split('\n')[0] ?? '';
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
