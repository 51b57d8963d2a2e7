/** The priority of a process that others must not notice: all its threads', and its session's where those compete. */
import { readdir, writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';

/**
 * A tenth of what others get where all want the same processor, and next to nothing of the time of one that works a
 * little and waits a little, as those do that serve calls. 19 would be a seventieth: a busy machine would never be done.
 */
export const behindOthers = 10;
export const withOthers = 0;

/** As far as the system lets us: a priority orders work, and nothing depends on it. */
export async function giveProcess(pid: number, niceness: number): Promise<void> {
  // Where the kernel schedules session by session (sched(7), autogroup), threads compete within their session only.
  await writeFile(`/proc/${pid}/autogroup`, String(niceness)).catch(() => undefined);
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  for (const thread of threads) {
    try {
      setPriority(Number(thread), niceness);
    } catch {
      // It ended, or we may not raise it.
    }
  }
}
