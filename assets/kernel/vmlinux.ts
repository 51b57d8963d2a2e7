/**
 * Takes the uncompressed kernel out of a bzImage. A VMM that starts this ELF directly (PVH) saves the guest its own
 * decompression, which under emulation is most of a second of each cold start.
 * Header fields: Documentation/arch/x86/boot.rst of the kernel.
 */
import { execa } from 'execa';
import { zstdDecompressSync } from 'node:zlib';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { hasPvhEntry } from '../elf/elf.ts';

const sectorBytes = 512;
/** The payload ends with its uncompressed size, four bytes that belong to no compression format. */
const sizeSuffixBytes = 4;

export async function extractVmlinux(bzImage: Buffer): Promise<Buffer> {
  const kernel = await decompress(payload(bzImage));
  if (!hasPvhEntry(kernel)) throw new DormouseError('asset-invalid', 'the kernel has no PVH entry point');
  return kernel;
}

function payload(bzImage: Buffer): Buffer {
  if (bzImage.toString('ascii', 0x202, 0x206) !== 'HdrS') throw new DormouseError('asset-invalid', 'not a bzImage');
  const setupSectors = bzImage.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * sectorBytes + bzImage.readUInt32LE(0x248);
  return bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c) - sizeSuffixBytes);
}

async function decompress(compressed: Buffer): Promise<Buffer> {
  switch (compressed.readUInt32BE(0)) {
    case 0x28b52ffd:
      return zstdDecompressSync(compressed);
    case 0xfd377a58:
      return decompressXz(compressed);
    default:
      throw new DormouseError('asset-invalid', 'the kernel is compressed in a way this assembler does not know');
  }
}

/** Debian's kernels and modules are packed with xz, which Node does not have. */
export async function decompressXz(compressed: Buffer): Promise<Buffer> {
  const { stdout } = await execa('xz', ['--decompress', '--stdout'], { input: compressed, encoding: 'buffer' });
  return Buffer.from(stdout);
}
