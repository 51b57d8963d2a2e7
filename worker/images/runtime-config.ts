/**
 * A container's OCI runtime config.json, from the image and the template. The guest agent fills in what only the guest
 * knows: where the root is, and the identity mount.
 * https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md
 * Failure: `container-start-failed` when the image has not the user, or nothing says what to run.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ContainerSpec } from '../../shared/template/template-spec.ts';
import { resolveUser } from './image-user.ts';
import type { ImageRunConfig } from './manifest.ts';

export interface RuntimeImage {
  readonly rootPath: string;
  readonly config: ImageRunConfig;
}

// What Docker grants by default: enough for images written for it, nothing that reconfigures the machine.
const capabilities = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
] as const;

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

// systemd's values: a low soft limit suits programs that walk all descriptors, those that need more raise it themselves.
const openFiles = { soft: 1024, hard: 524_288 } as const;

export async function ociRuntimeConfig(
  container: ContainerSpec,
  image: RuntimeImage,
): Promise<Record<string, unknown>> {
  return {
    ociVersion: '1.0.2',
    root: { path: 'rootfs', readonly: false },
    hostname: container.name,
    process: await processConfig(container, image),
    mounts,
    linux: {
      // No network namespace: all containers of an actor share the VM's.
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
      cgroupsPath: `/dormouse/${container.name}`,
      resources: resources(container.limits),
      maskedPaths,
      readonlyPaths,
    },
  };
}

async function processConfig(container: ContainerSpec, { rootPath, config }: RuntimeImage): Promise<object> {
  const { uid, gid, additionalGids, home } = await resolveUser(rootPath, container.user ?? config.user);
  const variables = { PATH: defaultPath, HOME: home, ...config.env, ...container.env };
  // An exec as another user starts with none; the bounding set says what a set-uid program may regain.
  const granted = uid === 0 ? capabilities : [];
  return {
    terminal: false,
    user: { uid, gid, additionalGids },
    args: processArguments(container, config),
    env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    cwd: container.cwd ?? (config.workingDir || '/'),
    capabilities: { bounding: capabilities, effective: granted, permitted: granted },
    rlimits: [{ type: 'RLIMIT_NOFILE', ...openFiles }],
    noNewPrivileges: false,
  };
}

/** As in Kubernetes: `command` replaces the image's entrypoint and its cmd with it, `args` replaces its cmd alone. */
function processArguments(container: ContainerSpec, config: ImageRunConfig): string[] {
  const args = container.command
    ? [...container.command, ...(container.args ?? [])]
    : [...config.entrypoint, ...(container.args ?? config.cmd)];
  if (args.length > 0) return args;
  const message = `neither the image nor the template says what the container ${container.name} runs: set \`command\``;
  throw new DormouseError('container-start-failed', message);
}

// The scheduler's usual accounting period.
const cpuPeriodMicros = 100_000;

function resources(limits: ContainerSpec['limits']): object {
  return {
    // Only the standard devices, which the runtime always adds: the agent's own port stays out of reach.
    devices: [{ allow: false, access: 'rwm' }],
    ...(limits?.memoryMiB === undefined ? {} : { memory: { limit: limits.memoryMiB * 1024 * 1024 } }),
    ...(limits?.pids === undefined ? {} : { pids: { limit: limits.pids } }),
    ...(limits?.cpus === undefined
      ? {}
      : { cpu: { quota: Math.round(limits.cpus * cpuPeriodMicros), period: cpuPeriodMicros } }),
  };
}

const mount = (destination: string, type: string, source: string, ...options: string[]): object => ({
  destination,
  type,
  source,
  options,
});

const mounts: readonly object[] = [
  mount('/proc', 'proc', 'proc', 'nosuid', 'noexec', 'nodev'),
  mount('/dev', 'tmpfs', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
  mount('/dev/pts', 'devpts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'),
  mount('/dev/shm', 'tmpfs', 'shm', 'nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'),
  mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
  mount('/sys', 'sysfs', 'sysfs', 'nosuid', 'noexec', 'nodev', 'ro'),
  mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'nosuid', 'noexec', 'nodev', 'relatime', 'ro'),
];

// Docker's lists: parts of /proc and /sys that tell about, or change, the whole guest.
const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
] as const;
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'] as const;
