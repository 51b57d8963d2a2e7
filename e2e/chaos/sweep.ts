/**
 * Removes what a run left whose driver died or was told to stop: processes (those that the kernel did not end with it, a
 * stopped one say), network namespaces, mounts, the firewall table, the folder. Each run begins with it, and a driver
 * that is interrupted ends with it.
 */
import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { lookAround } from '../../infra/test/surroundings.ts';
import { mountsBelow, removeTree } from '../../shared/process/remove-tree.ts';
import { until } from '../../shared/process/until.ts';
import { sweepNetworks } from '../../worker/network/sweep.ts';
import { networkOwner } from '../../worker/node/network-owner.ts';
import { removeTable } from './faults/firewall.ts';
import { isAlive, ownerOf, tableOf } from './owner.ts';

/** Far more than the kernel takes to end processes; beyond it one hangs in the kernel. */
const endLimitMs = 10_000;
const sweepLimitMs = 60_000;

/** All runs of this temporary folder, and all tables of this machine, whose drivers are dead. Returns their names. */
export async function sweepDeadRuns(): Promise<string[]> {
  const names = [...(await readdir(tmpdir())), ...(await tables())];
  const dead = names.filter((name) => {
    const owner = ownerOf(name);
    return owner !== undefined && !isAlive(owner);
  });
  for (const name of dead) await sweepRun(name);
  return dead;
}

/** By the name of its folder or of its table. Only for a run whose driver is dead or waits for this. */
export async function sweepRun(name: string): Promise<void> {
  const owner = ownerOf(name);
  if (owner === undefined) throw new Error(`${name} is not the name of a run`);
  await removeTable(tableOf(owner));
  if (name === tableOf(owner)) return;
  const folder = path.join(tmpdir(), name);
  await endProcesses(folder);
  const home = path.join(folder, 'home');
  for (const node of await readdir(path.join(home, 'nodes')).catch(() => []))
    // it may have died before there was one
    await sweepNetworks(networkOwner(home, node));
  for (const point of await mountsBelow(folder)) await execa('umount', ['--lazy', '--', point]);
  await removeTree(folder, tmpdir());
}

async function endProcesses(folder: string): Promise<void> {
  const noneLeft = async (): Promise<boolean> => {
    const found = (await lookAround(folder)).process;
    for (const line of found) kill(Number.parseInt(line, 10));
    return found.size === 0;
  };
  await until(noneLeft, {
    signal: AbortSignal.timeout(endLimitMs),
    everyMs: 20,
    what: `processes of ${folder} to end`,
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

async function tables(): Promise<string[]> {
  const { stdout } = await execa('nft', ['list', 'tables', 'inet']);
  return stdout.split('\n').map((line) => line.replace('table inet ', ''));
}

/**
 * As long as it is not disposed of, a signal that asks this process to end, or an error that ends it, sweeps the run first.
 * That is another process's work while this one stands still: otherwise it would start again what is being ended.
 */
export function sweepWhenInterrupted(folder: string): Disposable {
  const sweep = (): void => {
    const program = fileURLToPath(new URL('main.ts', import.meta.url));
    const args = [program, '--sweep', path.basename(folder)];
    spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: sweepLimitMs });
  };
  const onSignal = (_signal: NodeJS.Signals, number: number): void => {
    sweep();
    process.exit(128 + number);
  };
  process.on('uncaughtExceptionMonitor', sweep);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return {
    [Symbol.dispose]() {
      process.off('uncaughtExceptionMonitor', sweep);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
    },
  };
}
