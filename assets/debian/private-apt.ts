/**
 * An apt of our own beside the machine's: its own sources (trixie with updates and security, signed by Debian's keyring),
 * state and cache, for any architecture, with nothing installed. The machine's apt is asked for its proxy settings only.
 *
 * Failures: `precondition-missing` (no apt, no Debian keyring), `assets-unavailable` (the mirror does not answer, a
 * signature is wrong, no such package), with apt's own words.
 */
import { execa, ExecaError } from 'execa';
import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Architecture } from '../../shared/assets/asset-set.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { Mirror } from './apt-sources.ts';

export const suite = 'trixie';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The longest that one apt command may take: a slow mirror and a hundred megabytes. */
const aptTimeoutMs = 15 * 60_000;

export interface PrivateApt {
  readonly architecture: Architecture;
  run(command: 'apt-get' | 'apt-cache', args: readonly string[], workingDir?: string): Promise<string>;
}

export async function openPrivateApt(folder: string, architecture: Architecture, mirror: Mirror): Promise<PrivateApt> {
  await access(keyring).catch((cause: unknown) => {
    throw new DormouseError('precondition-missing', `${keyring} is missing; install debian-archive-keyring`, { cause });
  });
  const state = path.join(folder, architecture);
  for (const dir of ['lists/partial', 'archives/partial', 'etc']) {
    await mkdir(path.join(state, dir), { recursive: true });
  }
  await writeFile(path.join(state, 'status'), '');
  await writeFile(path.join(state, 'etc/sources.list'), sourcesList(mirror));
  const configuration = path.join(state, 'etc/apt.conf');
  await writeFile(configuration, aptConfiguration(state, architecture, await machineAcquireOptions()));
  return {
    architecture,
    run: (command, args, workingDir) => runApt(command, args, { APT_CONFIG: configuration }, workingDir ?? state),
  };
}

function sourcesList({ main, security }: Mirror): string {
  const entries = [
    [main, suite],
    [main, `${suite}-updates`],
    [security, `${suite}-security`],
  ];
  return entries.map(([uri, name]) => `deb [signed-by=${keyring}] ${uri} ${name} main\n`).join('');
}

function aptConfiguration(state: string, architecture: Architecture, acquire: string): string {
  const settings: Record<string, string> = {
    'Dir::State': state,
    'Dir::State::status': `${state}/status`,
    'Dir::State::lists': `${state}/lists`,
    'Dir::Cache': state,
    'Dir::Cache::archives': `${state}/archives`,
    'Dir::Etc::sourcelist': `${state}/etc/sources.list`,
    // Nothing of the machine's configuration: its hooks would run, its preferences would choose other versions.
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Install-Recommends': 'false',
    // The folder belongs to root: apt's own user could not write there.
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    // By default a mirror that does not answer is a warning, and an old or empty index is used.
    'APT::Update::Error-Mode': 'any',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  return acquire + lines.join('');
}

/** Proxies and the like: how this machine reaches a mirror is its own business. */
async function machineAcquireOptions(): Promise<string> {
  const dump = await runApt('apt-config', ['dump', 'Acquire'], {}, '/');
  return dump
    .split('\n')
    .filter((line) => /^Acquire::(http|https|ForceIPv[46])(::|\s)/.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

async function runApt(
  command: string,
  args: readonly string[],
  environment: Record<string, string>,
  workingDir: string,
): Promise<string> {
  try {
    const result = await execa(command, args, {
      env: { ...environment, LC_ALL: 'C.UTF-8' },
      cwd: workingDir,
      timeout: aptTimeoutMs,
    });
    return result.stdout;
  } catch (cause) {
    if (!(cause instanceof ExecaError)) throw cause;
    if (cause.code === 'ENOENT') {
      throw new DormouseError('precondition-missing', `${command} is missing: assembling assets needs Debian's apt`, {
        cause,
      });
    }
    const words = String(cause.stderr).trim();
    throw new DormouseError(
      'assets-unavailable',
      `${command} ${args[0] ?? ''} failed: ${words || cause.shortMessage}`,
      {
        cause,
      },
    );
  }
}
