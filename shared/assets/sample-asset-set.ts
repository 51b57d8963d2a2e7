/** A small asset set for tests: real files of a few bytes in the places of the real ones. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { digestOfSet, setFileName, type AssetDescription, type AssetSetContents } from './asset-set.ts';

const sampleFiles: Readonly<Record<string, string>> = {
  'usr/bin/qemu-system-x86_64': 'a VMM',
  'usr/bin/qemu-system-aarch64': 'an emulator',
  'usr/libexec/virtiofsd': 'a file server',
  'usr/lib64/ld.so': 'a loader',
  // A name with characters that the keys of a store cannot have.
  'usr/lib/x86_64-linux-gnu/libstdc++.so.6': 'a library',
  'guest/kernel': 'a kernel',
  'guest/initramfs.cpio': 'an initramfs',
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export function sampleDescription(): AssetDescription {
  return {
    formatVersion: 1,
    arch: 'amd64',
    inputsDigest: sha256('inputs'),
    roles: {
      vmm: 'usr/bin/qemu-system-x86_64',
      virtiofsd: 'usr/libexec/virtiofsd',
      kernel: 'guest/kernel',
      initramfs: 'guest/initramfs.cpio',
    },
    emulators: { arm64: 'usr/bin/qemu-system-aarch64' },
    runtime: {
      loader: 'usr/lib64/ld.so',
      libraryDirs: ['usr/lib/x86_64-linux-gnu'],
      firmwareDirs: ['usr/share/seabios', 'usr/share/qemu'],
    },
    vmmVersion: '10.0.13',
    kernelRelease: '6.12.0-sample',
    agentVersion: sha256('an initramfs').slice(0, 16),
    agentSource: sha256('an agent').slice(0, 16),
    goVersion: 'go1.24.4',
    packages: [{ name: 'qemu-system-x86', version: '1:10.0.13', sha256: sha256('a package') }],
    files: Object.entries(sampleFiles).map(([file, text]) => ({
      path: file,
      sizeBytes: text.length,
      sha256: sha256(text),
      mode: file.startsWith('guest/') ? 0o644 : 0o755,
    })),
  };
}

/** Writes the set into an existing folder. */
export async function writeSampleSet(folder: string): Promise<AssetSetContents> {
  for (const [file, text] of Object.entries(sampleFiles)) {
    const target = path.join(folder, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  const description = sampleDescription();
  const contents = { ...description, digest: digestOfSet(description) };
  await writeFile(path.join(folder, setFileName), JSON.stringify(contents));
  return contents;
}
