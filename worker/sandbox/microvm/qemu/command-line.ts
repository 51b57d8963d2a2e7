/**
 * The machine QEMU is asked to build. The same devices in the same order for boot and restore: a device state only loads
 * into the machine it was saved from. Names and order therefore belong to the snapshot's compatibility.
 */
import type { VmmOptions } from '../vmm.ts';

export interface Machine {
  /** Versioned, so that a newer QEMU builds the same board. */
  readonly machine: string;
  readonly cpuModel: string;
  readonly accelerator: 'kvm' | 'tcg';
  readonly kernelPath: string;
  readonly initramfsPath: string;
  readonly kernelArguments: string;
}

/** The virtio-serial port the guest agent looks for. */
export const agentPort = 'agent';
/** The one that the agent waits on for its wake message. */
const wakePort = 'wake';
/** The virtio-fs tag the guest agent mounts. */
const lowerTag = 'lower';
/** The guest's own address is the same everywhere, so its MAC is too. Locally administered. */
const guestMac = '52:54:00:09:00:02';

export const agentSocketName = 'agent.sock';
export const wakeSocketName = 'wake.sock';
export const consoleLogName = 'console.log';

export function qemuArguments(machine: Machine, options: VmmOptions): string[] {
  const { folder, memoryMiB, network, fileSystemSocket } = options;
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-S'],
    ...['-machine', `${machine.machine},memory-backend=ram`],
    ...['-accel', machine.accelerator === 'tcg' ? `tcg,thread=multi,tb-size=${translatedMiB(memoryMiB)}` : 'kvm'],
    ...['-cpu', machine.cpuModel, '-smp', String(options.vcpus), '-m', `${memoryMiB}M`],
    ...['-object', `memory-backend-file,id=ram,size=${memoryMiB}M,mem-path=${escaped(options.memoryPath)},share=on`],
    ...[
      '-chardev',
      `file,id=console,path=${escaped(`${folder}/${consoleLogName}`)},append=on`,
      '-serial',
      'chardev:console',
    ],
    ...['-chardev', `socket,id=${agentPort},path=${escaped(`${folder}/${agentSocketName}`)},server=on,wait=off`],
    ...['-chardev', `socket,id=wake,path=${escaped(`${folder}/${wakeSocketName}`)},server=on,wait=off`],
    ...['-device', 'virtio-serial-pci', '-device', `virtserialport,chardev=${agentPort},name=${agentPort}`],
    ...['-device', `virtserialport,chardev=wake,name=${wakePort}`],
    ...['-device', 'virtio-rng-pci'],
    ...fileSystem(fileSystemSocket),
    ...networkCard(network),
    ...['-qmp', 'stdio'],
    ...(options.mode === 'boot' ? bootArguments(machine) : restoreArguments),
  ];
}

/**
 * Most MiB of translated code that the emulator keeps. Each program that the guest runs adds to it for good, up to a GiB as
 * QEMU comes, whatever the guest's own size. At the bound all of it is dropped, and translated anew as it is used: a bound that
 * a busy guest reaches every few moments costs more than it saves (docs/decisions/0029-translated-code-is-bounded.md).
 */
const translatedMiB = (memoryMiB: number): number => Math.max(leastTranslatedMiB, Math.floor(memoryMiB / 4));
/** A Node.js server with one program after the other beside it is not slowed down by this, and by half of it is. */
const leastTranslatedMiB = 128;

const fileSystem = (socket: string | undefined): string[] =>
  socket === undefined
    ? []
    : [
        ...['-chardev', `socket,id=lower,path=${escaped(socket)}`],
        ...['-device', `vhost-user-fs-pci,chardev=lower,tag=${lowerTag},queue-size=1024`],
      ];

const networkCard = (network: VmmOptions['network']): string[] =>
  network === undefined
    ? []
    : [
        ...['-netdev', `tap,id=net,ifname=${network.tapName},script=no,downscript=no`],
        ...['-device', `virtio-net-pci,netdev=net,mac=${guestMac},romfile=`],
      ];

const bootArguments = (machine: Machine): string[] => [
  ...['-kernel', machine.kernelPath, '-initrd', machine.initramfsPath],
  ...['-append', machine.kernelArguments],
];

const restoreArguments = ['-incoming', 'defer', '-global', 'migration.send-configuration=off'];

/** In QEMU's option syntax a comma separates and a doubled one is a comma. */
const escaped = (path: string): string => path.replaceAll(',', ',,');
