/**
 * The watchdog of one worker: a process of its own, so that a worker whose event loop hangs, or that was stopped by a
 * signal, cannot keep its VMs running past the node's lease. Each renewal sets its deadlines anew (order.ts).
 *
 *   armed ──(freeze deadline)──► keeps every VM stopped ──(end deadline)──► kills every VM, then the worker
 *     ▲                                │
 *     └────────── a newer order ───────┘           the worker is gone (end of file) ──► kills every VM, ends
 *
 * It lives on the node builtins alone and never waits for anything but its worker. A stop asked of the whole process group
 * is not for it: it ends with its worker.
 */
import { createInterface } from 'node:readline';
import { processesMarked, signalAll, vmMark } from '../node/vm-processes.ts';
import { demandAt } from './deadlines.ts';
import { decodeOrder, encodeLine, monotonicMs, type Order } from './order.ts';

function watch(nodeFolder: string, workerPid: number): void {
  let order: Order | undefined;
  let froze = false;
  let timer: NodeJS.Timeout | undefined;

  const lookIn = (delayMs: number | undefined): void => {
    clearTimeout(timer);
    // When we were kept from running ourselves, a newer order may lie unread in the pipe: read first, then decide.
    if (delayMs !== undefined) timer = setTimeout(() => setImmediate(look), Math.ceil(delayMs));
  };
  const look = (): void => {
    const { act, lookInMs } = demandAt(order, monotonicMs());
    if (act === 'freeze') freeze();
    if (act === 'end') end();
    lookIn(lookInMs);
  };
  const freeze = (): void => {
    const vms = processesMarked(vmMark(nodeFolder));
    signalAll(vms, 'SIGSTOP');
    if (!froze) say('warn', 'lease not renewed in time, virtual machines stopped', vms.length);
    froze = true;
  };
  const end = (): void => {
    const vms = processesMarked(vmMark(nodeFolder));
    signalAll(vms, 'SIGKILL');
    killWorker(workerPid);
    say('fatal', 'lease about to end, virtual machines and worker killed', vms.length);
  };

  const orders = createInterface({ input: process.stdin });
  orders.on('line', (line) => {
    order = decodeOrder(line);
    process.stdout.write(encodeLine({ seq: order.seq, froze }));
    froze = false;
    lookIn(demandAt(order, monotonicMs()).lookInMs);
  });
  orders.on('close', () => {
    signalAll(processesMarked(vmMark(nodeFolder)), 'SIGKILL');
    process.exit(0);
  });
}

/** A stopped process dies of it too. Only ever our own parent: its number may belong to somebody else afterwards. */
function killWorker(pid: number): void {
  if (process.ppid === pid) process.kill(pid, 'SIGKILL');
}

function say(level: 'warn' | 'fatal', msg: string, vmProcesses: number): void {
  const numbers = { warn: 40, fatal: 60 };
  const time = Date.now();
  process.stderr.write(`${JSON.stringify({ level: numbers[level], time, process: 'watchdog', vmProcesses, msg })}\n`);
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
// The worker may be gone at any moment; the end of the orders tells.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
const [nodeFolder = '', workerPid = ''] = process.argv.slice(2);
watch(nodeFolder, Number(workerPid));
