/**
 * One raw VM: a network slot, a shared folder, a memory file, virtiofsd and QEMU. No queue, registry, store or proxy.
 * Disposing it, in any state, ends the processes and removes the rest.
 */
import { mkdir, open, unlink } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { tapName } from '../../worker/network/names.ts';
import { buildSlot, destroySlot } from '../../worker/network/slot.ts';
import { qemuCommand, virtiofsdCommand, virtiofsdReady, type RawMachine } from './machine.ts';
import { openQmp, unlessAborted, type Command } from './qmp.ts';

export interface RawPlace {
  /** Short: sockets lie in it. */
  readonly folder: string;
  /** On a tmpfs, as the platform's memory files are. */
  readonly memoryFolder: string;
  readonly networkOwner: string;
  /** Shows the image's root file system in a shared folder, until disposed. */
  attach(sharedFolder: string): Promise<AsyncDisposable>;
}

export interface RawVm extends AsyncDisposable {
  readonly command: Command;
  readonly pids: readonly number[];
  readonly address: string;
  readonly memory: string;
  readonly agentSocket: string;
}

let lastNumber = 0;

/** Everything that a platform keeps ready too: what comes after it is what `launch` costs. */
export async function prepareVm(place: RawPlace, signal: AbortSignal) {
  await using undo = new AsyncDisposableStack();
  const number = ++lastNumber;
  const folder = path.join(place.folder, String(number));
  const [shared, memory] = [path.join(folder, 'shared'), path.join(place.memoryFolder, String(number))];
  await mkdir(shared, { recursive: true });
  undo.defer(() => removeTree(folder, place.folder));
  undo.defer(() => unlink(memory).catch(() => undefined));
  const slot = await buildSlot(place.networkOwner, () => ++lastNumber, signal);
  undo.defer(() => destroySlot(slot));
  undo.use(await place.attach(shared));
  return { folder, shared, memory, slot, resources: undo.move() };
}

export type PreparedVm = Awaited<ReturnType<typeof prepareVm>>;

/** What a VM begins with: an empty memory and a kernel, or the golden's memory and a device state to come. */
export type Beginning = { readonly mode: 'boot' } | { readonly mode: 'incoming'; readonly goldenMemory: string };

/**
 * Starts virtiofsd and QEMU while the memory is put in place: QEMU maps the file, and looks into it only when it runs.
 * Ends what it started, and `prepared`, when it fails.
 */
export async function launchVm(
  machine: RawMachine,
  prepared: PreparedVm,
  beginning: Beginning,
  signal: AbortSignal,
): Promise<RawVm> {
  const { memory, slot, resources } = prepared;
  try {
    await createMemory(memory, machine.memoryMiB * 1024 * 1024);
    const [processes] = await Promise.all([
      startProcesses(machine, prepared, beginning.mode, signal),
      beginning.mode === 'incoming' && copyMemory(beginning.goldenMemory, memory, signal),
    ]);
    return {
      ...{ ...processes, memory, address: slot.addresses.slot },
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
  } catch (cause) {
    await resources.disposeAsync();
    throw cause;
  }
}

async function startProcesses(
  machine: RawMachine,
  { folder, shared, memory, slot, resources }: PreparedVm,
  mode: Beginning['mode'],
  signal: AbortSignal,
) {
  const fileSystemSocket = path.join(folder, 'fs.sock');
  const agentSocket = path.join(folder, 'agent.sock');
  const environment = machine.tuning?.environment ?? {};
  const daemon = start(virtiofsdCommand(machine, shared, fileSystemSocket), environment, resources);
  await unlessAborted(signal, printed(daemon.child.stderr, virtiofsdReady), endedEarly(daemon.ended));
  const files = { memory, agentSocket, fileSystemSocket, console: path.join(folder, 'console.log'), tap: tapName };
  const inside = ['nsenter', `--net=${slot.namespacePath}`, '--'];
  const qemu = start([...inside, ...qemuCommand(machine, files, mode)], environment, resources);
  const command = await openQmp(qemu.child.stdout, qemu.child.stdin, qemu.ended, signal);
  return { command, agentSocket, pids: [qemu.pid, daemon.pid] };
}

function start(command: readonly string[], env: Readonly<Record<string, string>>, resources: AsyncDisposableStack) {
  const child = execa('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    env,
    stdin: 'pipe',
    buffer: { stdout: false, stderr: true },
    maxBuffer: { stderr: 64 * 1024 }, // a few lines; a runaway must not fill our memory
    detached: true, // the terminal's Ctrl-C reaches us alone, and we end it
    reject: false,
  });
  const ended = child.then((result) => result.stderr || (result.originalMessage ?? 'without a word'));
  resources.defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended, pid: child.pid ?? 0 };
}

function printed(stream: NodeJS.ReadableStream, words: string): Promise<void> {
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      if (chunk.includes(words)) resolve();
    });
  });
}

async function endedEarly(ended: Promise<string>): Promise<never> {
  throw new DormouseError('vmm-failed', `raw harness: virtiofsd ended: ${await ended}`);
}

/** An empty memory file: sparse, so it costs nothing until the guest writes. */
async function createMemory(file: string, sizeBytes: number): Promise<void> {
  await using handle = await open(file, 'wx', 0o600);
  await handle.truncate(sizeBytes);
}

/** What is not zero, into a file that QEMU may have mapped already: 65 MB of 256 MiB in a booted guest. */
async function copyMemory(from: string, to: string, signal: AbortSignal): Promise<void> {
  const args = [`if=${from}`, `of=${to}`, 'bs=256K', 'conv=notrunc,sparse', 'status=none'];
  await execa('dd', args, { cancelSignal: signal });
}
