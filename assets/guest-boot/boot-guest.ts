/**
 * Boots a guest from an asset set for a test of the set itself: kernel, initramfs and agent, under emulation, without the
 * platform around it. The guest ends, and what it wrote goes, when the handle is disposed.
 */
import { credentials } from '@grpc/grpc-js';
import { execa } from 'execa';
import { access, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AssetSet, Architecture } from '../../shared/assets/asset-set.ts';
import { firmwareArguments, guestFile, programCommand } from '../../shared/assets/program-command.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { AgentClient } from '../../shared/proto/gen/agent.ts';
import { openWakePort, type WakePort } from '../../shared/proto/wake-port.ts';

/** Under emulation, on a machine that does other things too. */
const bootLimitMs = 60_000;
const pollMs = 20;

const machines: Readonly<Record<Architecture, { type: string; console: string }>> = {
  amd64: { type: 'q35', console: 'ttyS0' },
  arm64: { type: 'virt', console: 'ttyAMA0' },
};

export interface GuestParts {
  /** The set whose programs run here. */
  readonly host: AssetSet;
  /** The set whose guest is booted. */
  readonly guest: AssetSet;
  /** What the guest mounts as its lower: `<container>/rootfs`. Without one the guest has no shared folder. */
  readonly sharedDir?: string;
}

export interface Guest extends AsyncDisposable {
  readonly agent: AgentClient;
  readonly wakePort: WakePort;
  /** What the guest wrote to its serial line so far. */
  console(): Promise<string>;
  /** Resolves with the VMM's exit code when the VM has ended. */
  readonly ended: Promise<number | undefined>;
}

export async function bootGuest(parts: GuestParts): Promise<Guest> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'guest-'));
  stack.defer(() => removeTree(folder, path.dirname(folder)));
  if (parts.sharedDir !== undefined) stack.use(await startVirtiofsd(parts.host, parts.sharedDir, folder));
  const vmm = start(vmmCommand(parts, folder));
  stack.use(vmm);
  const agent = new AgentClient(`unix:${folder}/agent.sock`, credentials.createInsecure());
  stack.defer(() => agent.close());
  const text = (): Promise<string> => readFile(path.join(folder, 'console'), 'utf8').catch(() => '');
  await untilReady(agent, vmm, text);
  const wakePort = stack.use(await openWakePort(`${folder}/wake.sock`, AbortSignal.timeout(bootLimitMs)));
  const owned = stack.move();
  return { agent, wakePort, console: text, ended: vmm.ended, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Child extends AsyncDisposable {
  readonly ended: Promise<number | undefined>;
  /** What it wrote, when it has ended. */
  readonly words: Promise<string>;
}

function start([command, ...args]: readonly string[]): Child {
  const wrapped = ['--pdeathsig', 'KILL', '--', command ?? '', ...args];
  const child = execa('setpriv', wrapped, { reject: false, stdin: 'ignore', all: true });
  const ended = child.then(({ exitCode }) => exitCode);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const words = child.then(({ all }) => all);
  return { ended, words, [Symbol.asyncDispose]: kill };
}

async function startVirtiofsd(host: AssetSet, sharedDir: string, folder: string): Promise<Child> {
  const socket = path.join(folder, 'virtiofs.sock');
  const options = ['--cache=auto', '--sandbox=none', '--readonly'];
  const child = start([
    ...programCommand(host, 'virtiofsd'),
    '--socket-path',
    socket,
    '--shared-dir',
    sharedDir,
    ...options,
  ]);
  const signal = AbortSignal.timeout(bootLimitMs);
  while (!(await exists(socket))) await delay(pollMs, undefined, { signal });
  return child;
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

function vmmCommand({ host, guest, sharedDir }: GuestParts, folder: string): string[] {
  const { type, console: line } = machines[guest.contents.arch];
  const memory = 256;
  const device = (...words: string[]): string[] => words.flatMap((word) => ['-device', word]);
  const shared = [
    '-chardev',
    `socket,id=lower,path=${folder}/virtiofs.sock`,
    ...device('vhost-user-fs-pci,chardev=lower,tag=lower'),
  ];
  return [
    ...programCommand(host, { emulatorOf: guest.contents.arch }),
    ...firmwareArguments(host),
    ...['-M', `${type},memory-backend=memory`, '-accel', 'tcg', '-cpu', 'max', '-m', `${memory}M`],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-object', `memory-backend-memfd,id=memory,size=${memory}M,share=on`],
    ...['-kernel', guestFile(guest, 'kernel'), '-initrd', guestFile(guest, 'initramfs')],
    ...['-append', `console=${line} quiet loglevel=3 panic=-1 mitigations=off cryptomgr.notests`],
    ...['-serial', `file:${folder}/console`, ...device('virtio-rng-pci', 'virtio-serial-pci')],
    ...['-netdev', 'user,id=net,restrict=on', ...device('virtio-net-pci,netdev=net')],
    ...['-chardev', `socket,id=agent,path=${folder}/agent.sock,server=on,wait=off`],
    ...['-chardev', `socket,id=wake,path=${folder}/wake.sock,server=on,wait=off`],
    ...device('virtserialport,chardev=agent,name=agent', 'virtserialport,chardev=wake,name=wake'),
    ...(sharedDir === undefined ? [] : shared),
  ];
}

/** Waits for the agent; if the VM ends first, says what it and its guest said. */
async function untilReady(agent: AgentClient, vmm: Child, text: () => Promise<string>): Promise<void> {
  const ready = new Promise<void>((resolve, reject) =>
    agent.waitForReady(Date.now() + bootLimitMs, (error) => (error ? reject(error) : resolve())),
  );
  const ended = vmm.words.then(async (words) => {
    throw new Error(`the VM ended: ${words}\n${await text()}`);
  });
  await Promise.race([ready, ended]);
}
