/** The raw suspend: pause, device state, changed pages, zstd, and files that are on the disk. */
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { stopwatch } from '../stopwatch.ts';
import { saveDevices } from './devices.ts';
import type { RawGuest } from './guest.ts';
import { changedPages, compareAll } from './memory.ts';
import type { RawSnapshot } from './restore.ts';
import type { RawVm } from './vm.ts';

export interface TimedSuspend {
  readonly snapshot: RawSnapshot;
  /** From the pause until nothing of the VM is needed any more. */
  readonly frozenMs: number;
  /** The same until the files are on the disk. */
  readonly durableMs: number;
  readonly bytes: number;
  readonly phases: Readonly<Record<string, number>>;
}

const compress = promisify(zstdCompress);
const fastest = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export async function suspendRaw(
  guest: RawGuest,
  vm: RawVm,
  written: readonly number[],
  device: string,
  signal: AbortSignal,
): Promise<TimedSuspend> {
  const clock = stopwatch();
  await vm.command('stop', {}, signal);
  await saveDevices(vm, device, signal);
  clock.lap('devices');
  const changed = changedPages(vm.memory, guest.golden.memory, guest.memorySizeBytes, vm.pids, written);
  clock.lap('pages');
  const frozenMs = clock.totalMs();
  const packed = await Promise.all([changed.bytes, await readFile(device)].map((part) => compress(part, fastest)));
  clock.lap('zstd');
  await writeDurably(path.join(guest.place.folder, 'shipped'), packed);
  clock.lap('write');
  const bytes = packed.reduce((sum, part) => sum + part.length, 0);
  return { snapshot: { device, changed }, frozenMs, durableMs: clock.totalMs(), bytes, phases: clock.laps };
}

/** The candidates must have missed nothing, or the figure is that of a broken snapshot. The VM is paused. */
export function requireComplete(guest: RawGuest, vm: RawVm, { changed }: RawSnapshot): void {
  const all = compareAll(vm.memory, guest.golden.memory, guest.memorySizeBytes);
  if (all.pages.length === changed.pages.length && all.bytes.equals(changed.bytes)) return;
  const words = `${changed.pages.length} pages were found changed, an exhaustive comparison finds ${all.pages.length}`;
  throw new DormouseError('internal', `raw harness: ${words}`);
}

async function writeDurably(file: string, parts: readonly Buffer[]): Promise<void> {
  await using handle = await open(file, 'w', 0o600);
  for (const part of parts) await handle.writeFile(part);
  await handle.datasync();
}
