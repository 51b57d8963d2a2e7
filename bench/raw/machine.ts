/**
 * The command lines of the raw harness: the same asset set, board, devices and guest as the platform's, written down a
 * second time on purpose. The floor must not move when the platform's own lines are changed.
 */
import { firmwareArguments, guestFile, programCommand } from '../../shared/assets/program-command.ts';
import type { AssetSet } from '../../shared/assets/asset-set.ts';

export type Accelerator = 'kvm' | 'tcg';

export interface RawMachine {
  readonly set: AssetSet;
  readonly accelerator: Accelerator;
  readonly memoryMiB: number;
  readonly tuning?: Tuning;
}

/** What cases compare within one run. A raw VM without any is the floor. */
export interface Tuning {
  readonly cache?: 'auto' | 'always';
  /** Of virtiofsd; 0: its one thread does all. */
  readonly threadPool?: number;
  /** Bound of the emulator's translated code. */
  readonly translationMiB?: number;
  /** Added to that of both processes. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RawFiles {
  readonly memory: string;
  readonly agentSocket: string;
  readonly fileSystemSocket: string;
  readonly console: string;
  readonly tap: string;
}

const boards = {
  amd64: { board: 'pc-q35', console: 'ttyS0', more: ' reboot=t tsc=reliable no_timer_check' },
  arm64: { board: 'virt', console: 'ttyAMA0', more: '' },
} as const;

export function qemuCommand(machine: RawMachine, files: RawFiles, mode: 'boot' | 'incoming'): string[] {
  const { set, accelerator, memoryMiB, tuning = {} } = machine;
  const { board, console, more } = boards[set.contents.arch];
  const [major, minor] = set.contents.vmmVersion.split('.');
  const words = `console=${console} quiet loglevel=3 panic=-1 mitigations=off cryptomgr.notests${more}`;
  return [
    ...programCommand(set, 'vmm'),
    ...firmwareArguments(set),
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-S', '-qmp', 'stdio'],
    ...['-machine', `${board}-${major}.${minor},memory-backend=ram`, '-m', `${memoryMiB}M`, '-smp', '1'],
    ...['-accel', accelerator === 'tcg' ? emulator(tuning) : 'kvm', '-cpu', accelerator === 'tcg' ? 'max' : 'host'],
    ...['-object', `memory-backend-file,id=ram,size=${memoryMiB}M,mem-path=${files.memory},share=on`],
    ...['-chardev', `file,id=console,path=${files.console}`, '-serial', 'chardev:console'],
    ...['-chardev', `socket,id=agent,path=${files.agentSocket},server=on,wait=off`],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=agent,name=agent'],
    // The agent wants its wake port to be there; nobody wakes a raw guest.
    ...['-chardev', 'null,id=wake', '-device', 'virtserialport,chardev=wake,name=wake'],
    ...['-device', 'virtio-rng-pci'],
    ...['-chardev', `socket,id=lower,path=${files.fileSystemSocket}`],
    ...['-device', 'vhost-user-fs-pci,chardev=lower,tag=lower,queue-size=1024'],
    ...['-netdev', `tap,id=net,ifname=${files.tap},script=no,downscript=no`],
    ...['-device', 'virtio-net-pci,netdev=net,mac=52:54:00:09:00:02,romfile='],
    ...(mode === 'incoming'
      ? ['-incoming', 'defer', '-global', 'migration.send-configuration=off']
      : ['-kernel', guestFile(set, 'kernel'), '-initrd', guestFile(set, 'initramfs'), '-append', words]),
  ];
}

const emulator = ({ translationMiB }: Tuning): string =>
  translationMiB === undefined ? 'tcg,thread=multi' : `tcg,thread=multi,tb-size=${translationMiB}`;

/** What virtiofsd prints once its socket accepts a connection. */
export const virtiofsdReady = 'Waiting for vhost-user socket connection';

export const virtiofsdCommand = ({ set, tuning = {} }: RawMachine, sharedFolder: string, socket: string): string[] => [
  ...programCommand(set, 'virtiofsd'),
  ...[`--socket-path=${socket}`, `--shared-dir=${sharedFolder}`, '--readonly', `--cache=${tuning.cache ?? 'always'}`],
  ...['--sandbox=none', '--no-announce-submounts', '--migration-mode=find-paths', '--migration-on-error=abort'],
  '--inode-file-handles=prefer',
  ...(tuning.threadPool === undefined ? [] : [`--thread-pool-size=${tuning.threadPool}`]),
];
