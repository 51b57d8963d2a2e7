/** Containers for tests of the guest: a root file system of busybox alone, and an OCI configuration that runs a script in it. */
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AssetSet } from '../../shared/assets/asset-set.ts';
import { guestFile } from '../../shared/assets/program-command.ts';
import type { Container, Probe } from '../../shared/proto/gen/agent.ts';
import { readCpio } from '../initramfs/cpio.ts';

/** What the OCI runtime specification expects an image to have. */
const mountPoints = ['proc', 'dev', 'sys', 'run', 'tmp'];
const upperBytes = 8 << 20;

/** Puts `<name>/rootfs` into the shared folder; busybox comes out of the guest's own initramfs. */
export async function makeRootfs(set: AssetSet, sharedDir: string, container: string): Promise<string> {
  const rootfs = path.join(sharedDir, container, 'rootfs');
  for (const folder of ['bin', ...mountPoints]) await mkdir(path.join(rootfs, folder), { recursive: true });
  const archive = readCpio(await readFile(guestFile(set, 'initramfs')));
  const busybox = archive.find((entry) => entry.path === 'usr/bin/busybox');
  if (busybox === undefined) throw new Error('the initramfs has no busybox');
  const target = path.join(rootfs, 'bin/busybox');
  await writeFile(target, busybox.content);
  await chmod(target, 0o755);
  await symlink('busybox', path.join(rootfs, 'bin/sh'));
  await writeFile(path.join(rootfs, 'lower-file'), 'from the image');
  await mkdir(path.join(rootfs, 'lower-folder'));
  for (const name of ['first', 'second']) await writeFile(path.join(rootfs, 'lower-folder', name), name);
  return rootfs;
}

export function scriptContainer(name: string, script: string, probe?: Partial<Probe>): Container {
  return {
    name,
    ociConfigJson: JSON.stringify(ociConfig(['/bin/sh', '-c', `busybox --install -s /bin; ${script}`])),
    probe: probe && { httpPath: '', port: 0, intervalMs: 20, ...probe },
    upperSizeBytes: BigInt(upperBytes),
  };
}

function ociConfig(args: readonly string[]) {
  const mount = (destination: string, type: string, options: string[] = []) => ({
    destination,
    type,
    source: type,
    options: ['nosuid', ...options],
  });
  return {
    ociVersion: '1.2.0',
    process: {
      user: { uid: 0, gid: 0 },
      args,
      env: ['PATH=/bin', 'GREETING=hello'],
      cwd: '/tmp',
      capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
      noNewPrivileges: true,
    },
    root: { path: 'rootfs' },
    mounts: [mount('/proc', 'proc'), mount('/dev', 'tmpfs'), mount('/sys/fs/cgroup', 'cgroup2', ['ro'])],
    linux: {
      namespaces: ['pid', 'mount', 'ipc', 'uts', 'cgroup'].map((type) => ({ type })),
      resources: { memory: { limit: 32 << 20 }, pids: { limit: 20 } },
    },
  };
}
