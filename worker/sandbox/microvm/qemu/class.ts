/** QEMU out of an asset set as a VmmClass: which machine, which accelerator, and the key of what can load its snapshots. */
import { cpus } from 'node:os';
import { firmwareArguments, guestFile, programCommand } from '../../../../shared/assets/program-command.ts';
import type { AssetSet } from '../../../../shared/assets/asset-set.ts';
import type { RuntimeKey } from '../../../../shared/snapshot/manifest.ts';
import type { VmmClass } from '../vmm.ts';
import type { Machine } from './command-line.ts';
import { launchQemu } from './vmm.ts';

export type Accelerator = Exclude<RuntimeKey['accelerator'], 'none'>;

/**
 * `emulated`: each write of the protection keys' register makes the emulator forget all addresses that it has looked up
 * (docs/decisions/0041-no-protection-keys-under-emulation.md).
 */
const machines = {
  amd64: { board: 'pc-q35', console: 'ttyS0', more: 'reboot=t tsc=reliable no_timer_check', emulated: 'nopku' },
  arm64: { board: 'virt', console: 'ttyAMA0', more: '', emulated: '' },
} as const;

export function qemuClass(set: AssetSet, accelerator: Accelerator): VmmClass {
  const machine = machineOf(set, accelerator);
  const program = [...programCommand(set, 'vmm'), ...firmwareArguments(set)];
  return {
    runtime: {
      arch: set.contents.arch,
      vmm: 'qemu',
      vmmVersion: set.contents.vmmVersion,
      accelerator,
      machine: machine.machine,
      // Under KVM a guest sees the host's own processor, and a snapshot moves only between equal ones.
      cpuModel: accelerator === 'tcg' ? machine.cpuModel : (cpus()[0]?.model ?? 'unknown'),
      kernel: set.contents.kernelRelease,
      agent: set.contents.agentVersion,
    },
    launch: (options, signal) => launchQemu(program, machine, options, signal),
  };
}

function machineOf(set: AssetSet, accelerator: Accelerator): Machine {
  const { board, console, more, emulated } = machines[set.contents.arch];
  const words = `${more} ${accelerator === 'tcg' ? emulated : ''}`.trim();
  const [major, minor] = set.contents.vmmVersion.split('.');
  return {
    machine: `${board}-${major}.${minor}`,
    cpuModel: accelerator === 'kvm' ? 'host' : 'max',
    accelerator,
    kernelPath: guestFile(set, 'kernel'),
    initramfsPath: guestFile(set, 'initramfs'),
    kernelArguments:
      `console=${console} quiet loglevel=3 panic=-1 mitigations=off cryptomgr.notests ${lean} ${words}`.trim(),
  };
}

/**
 * What nobody asks for and every system call and task switch goes through, anew after each restore: accounting of pressure,
 * and security modules without a policy. Landlock stays: it is for the programs themselves.
 */
const lean = 'psi=0 lsm=landlock';
