/**
 * Runs the code that an actor waits for while it stands still, before there is one: on scratch memory, until the engine
 * has compiled it: the first suspends of a node took two to three times the processor time of later ones.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { statSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { applyMemoryParts, writeMemoryPart } from './memory-part.ts';
import { addPages, emptyPageSet } from './page-set.ts';
import { pageSizeBytes } from './page-stream.ts';
import { takePages } from './recent-pages.ts';
import { touchedPages } from './touched-pages.ts';

const pages = 1024;
const memorySizeBytes = pages * pageSizeBytes;
const rounds = 12;

/** `folder` does not exist, and does not exist afterwards. What goes wrong is of no consequence. */
export async function warmUp(folder: string, signal: AbortSignal): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
    const scratch = await scratchIn(folder);
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      await warmRound(scratch, signal);
      await setImmediate(); // whoever came meanwhile does not wait for all of it
    }
  } catch {
    // The code is as it was.
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

interface Scratch {
  readonly basePath: string;
  readonly memoryPath: string;
  readonly partPath: string;
}

/** As an actor that slept leaves its memory: of most pages a few words changed, some are new, the others are the base's. */
async function scratchIn(folder: string): Promise<Scratch> {
  const base = Buffer.alloc(memorySizeBytes);
  for (let at = 0; at < memorySizeBytes; at += 4) base.writeUInt32LE((Math.imul(at, 2_654_435_761) >>> 7) & 0xffff, at);
  const memory = Buffer.from(base);
  for (let page = 0; page < pages; page++) {
    const at = page * pageSizeBytes;
    if (page % 16 === 0) memory.fill(page & 0xff, at, at + pageSizeBytes);
    else if (page % 2 === 0) memory.fill(page & 0xff, at + 128, at + 256);
  }
  const scratch = {
    basePath: path.join(folder, 'base'),
    memoryPath: path.join(folder, 'memory'),
    partPath: path.join(folder, 'part'),
  };
  await writeFile(scratch.basePath, base);
  await writeFile(scratch.memoryPath, memory);
  return scratch;
}

async function warmRound({ basePath, memoryPath, partPath }: Scratch, signal: AbortSignal): Promise<void> {
  const candidates = emptyPageSet(memorySizeBytes);
  for (let page = 0; page < pages; page += 64) addPages(candidates, page, 60);
  const source = { basePath, memoryPath, memorySizeBytes, candidates };
  const { sha256 } = await writeMemoryPart(source, partPath, signal);
  takePages(sha256);
  await applyMemoryParts([partPath], memoryPath, memorySizeBytes, signal);
  // Some file that this process has mapped.
  const program = process.execPath;
  const whole = Math.floor(statSync(program).size / pageSizeBytes) * pageSizeBytes;
  const us = { vmmPid: process.pid, daemonPid: process.pid, swappedOut: undefined };
  touchedPages({ ...us, memoryPath: program, memorySizeBytes: whole });
}
