/**
 * What an asset set is made of, per architecture: the Debian packages that have it, and the files taken from them. The
 * libraries follow from the programs.
 */
import type { Architecture } from '../../shared/assets/asset-set.ts';

export interface Selection {
  /** Package names to resolve; what they depend on comes along. */
  readonly packages: readonly string[];
  readonly vmm: string;
  readonly virtiofsd: string;
  readonly emulators: Readonly<Partial<Record<Architecture, string>>>;
  readonly firmware: readonly string[];
}

const virtiofsd = 'usr/libexec/virtiofsd';
const guestPackages = ['busybox-static', 'crun'];
/** QEMU insists on the option ROM of each virtio network card, though a guest started from -kernel never runs it. */
const networkRom = 'usr/share/qemu/efi-virtio.rom';

export const selections: Readonly<Record<Architecture, Selection>> = {
  amd64: {
    packages: [
      ...guestPackages,
      'ipxe-qemu',
      'linux-image-cloud-amd64',
      'qemu-system-arm',
      'qemu-system-x86',
      'virtiofsd',
    ],
    vmm: 'usr/bin/qemu-system-x86_64',
    virtiofsd,
    emulators: { arm64: 'usr/bin/qemu-system-aarch64' },
    firmware: [
      'usr/share/seabios/bios-256k.bin',
      // pvh.bin starts an ELF kernel, linuxboot_dma.bin a bzImage; kvmvapic.bin belongs to the interrupt controller.
      'usr/share/qemu/pvh.bin',
      'usr/share/qemu/linuxboot_dma.bin',
      'usr/share/qemu/kvmvapic.bin',
      networkRom,
    ],
  },
  arm64: {
    packages: [...guestPackages, 'ipxe-qemu', 'linux-image-cloud-arm64', 'qemu-system-arm', 'virtiofsd'],
    vmm: 'usr/bin/qemu-system-aarch64',
    virtiofsd,
    emulators: {},
    firmware: [networkRom],
  },
};

/** The folders of the firmware files, for QEMU's -L. */
export const firmwareDirs = ({ firmware }: Selection): string[] => [
  ...new Set(firmware.map((file) => file.slice(0, file.lastIndexOf('/')))),
];
