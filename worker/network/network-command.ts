/**
 * Runs `ip`, `nft` and `nsenter`. They finish within milliseconds and are bounded here. They are not cancelled and not killed
 * with their parent: one that dies half-way would leave more behind than one that ends.
 * Failure: `network-failed` with the tool's own words and, where the cause is known, how to mend it.
 */
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

// Measured in milliseconds; only a machine in deep trouble (a stuck kernel lock) comes near this.
const commandTimeoutMs = 10_000;

export interface NetworkCommand {
  readonly command: readonly [string, ...string[]];
  readonly input?: string;
}

export async function runNetworkCommand({ command, input }: NetworkCommand): Promise<void> {
  const [program, ...args] = command;
  const result = await execa(program, args, {
    input: input ?? '',
    reject: false,
    timeout: commandTimeoutMs,
  });
  if (!result.failed) return;
  throw networkError(command.join(' '), result.stderr || (result.originalMessage ?? ''), input);
}

function networkError(command: string, stderr: string, input?: string): DormouseError {
  const hint = hintFor(stderr);
  const message = `${command}: ${stderr.trim() || 'failed'}${hint ? `. ${hint}` : ''}`;
  return new DormouseError('network-failed', message, {
    details: { command, stderr, ...(hint ? { hint } : {}), ...(input ? { input } : {}) },
  });
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/ENOENT/, 'Install the Debian packages iproute2, nftables and util-linux'],
  [/net\/tun/, 'Load the kernel module tun, or give the container the device /dev/net/tun'],
  [
    /not permitted|Permission denied|must be root|mount --make-shared/i,
    'Run as root with CAP_NET_ADMIN and CAP_SYS_ADMIN',
  ],
  [
    /not supported|No such file or directory.*table|cache initialization/is,
    'The kernel needs veth and nf_tables with NAT',
  ],
];

const hintFor = (stderr: string): string | undefined => hints.find(([pattern]) => pattern.test(stderr))?.[1];

/** The kernel's "this name, address or route is taken". */
export function isTaken(error: unknown): boolean {
  return error instanceof DormouseError && /File exists/.test(String(error.details['stderr']));
}
