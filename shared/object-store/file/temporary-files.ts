/**
 * Files being written, in `<root>/.tmp/`. The name says who writes: boot, pid namespace, pid and start time of the
 * process. One whose writer has certainly ended (same boot, same pid namespace, no such process) is removed at once;
 * one of a writer that cannot be seen from here (another machine or container on a shared folder) when it is old.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** Beyond every deadline: a write in progress touches its file long before. */
const abandonedAfterMs = 24 * 60 * 60_000;

export const temporaryFolder = (root: string): string => path.join(root, '.tmp');

export async function newTemporaryPath(root: string): Promise<string> {
  const here = await thisWriter();
  return path.join(temporaryFolder(root), `${here.place}.${process.pid}.${here.startedAt}.${randomUUID()}`);
}

export async function removeDeadTemporaryFiles(root: string): Promise<void> {
  const here = await thisWriter();
  for (const name of await readdir(temporaryFolder(root)).catch(() => [])) {
    const file = path.join(temporaryFolder(root), name);
    if (await isDead(name, file, here.place)) await rm(file, { force: true });
  }
}

async function isDead(name: string, file: string, place: string): Promise<boolean> {
  const [writerPlace, pid, startedAt] = name.split('.');
  if (writerPlace === place && pid !== undefined) return (await startTime(pid)) !== startedAt;
  const facts = await stat(file).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > abandonedAfterMs;
}

let writer: Promise<{ place: string; startedAt: string }> | undefined;
const thisWriter = (): Promise<{ place: string; startedAt: string }> => (writer ??= readThisWriter());

async function readThisWriter(): Promise<{ place: string; startedAt: string }> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  const namespace = await readlink('/proc/self/ns/pid');
  const place = `${boot.trim()}-${namespace.replace(/\D/g, '')}`;
  return { place, startedAt: (await startTime(String(process.pid))) ?? '0' };
}

/** Field 22 of proc(5) stat; the second field, the program's name in brackets, may itself hold spaces and brackets. */
async function startTime(pid: string): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19];
}
