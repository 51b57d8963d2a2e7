/** A disk without room, for a while. Everything that writes there fails at whatever it was about to write. */
import { existsSync } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { World } from '../world.ts';
import type { Fault } from './fault.ts';
import { pause } from './processes.ts';

export const fill = (whose: string, folderOf: (world: World) => string): Fault => ({
  async strike({ world, random }) {
    const folder = folderOf(world);
    const file = path.join(folder, 'filler');
    if (existsSync(file)) return undefined; // another strike holds it
    let isFull = false;
    for (let attempt = 0; attempt < attempts && !isFull; attempt++) isFull = await takeAll(folder, file);
    if (isFull) await pause(random, 1000, 8000);
    await rm(file, { force: true });
    return isFull ? `the disk of ${whose}` : undefined;
  },
});

/** The platform writes and deletes meanwhile, so the room that was seen may not be there any more. */
const attempts = 10;

async function takeAll(folder: string, file: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail === 0) return true;
  const taken = await execa('fallocate', ['-l', String(bavail * bsize), file], { reject: false });
  return !taken.failed;
}
