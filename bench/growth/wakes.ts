/**
 * How many wake-ups a second the control plane does, and what each costs: processor time by process, Redis calls, queueing.
 * With the suspend that each needs before the next, or alone: then so many actors are put to sleep before it is measured,
 * and each is called once; and again, in as many bursts as were asked for. Beside each burst, jobs that do nothing pass
 * through BullMQ: a shared machine is a third faster in one half minute than in the next.
 */
import { median, percentile } from '../../loadtest/percentile.ts';
import { cpuMs, mainThreadCpuMs } from '../process-look.ts';
import { createCaller, lanesOf, runLanes, wakeEach, type Caller, type WakeSample } from './actor-lanes.ts';
import { openReference, type Reference } from './reference.ts';
import { watchRedis } from './redis-work.ts';
import { elapsed, type Run } from './run.ts';
import { startSimulatedPlatform, type Size } from './simulated-platform.ts';

export interface WakesSettings extends Size {
  readonly lanes: number;
  readonly actorsPerLane: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly suspends: boolean;
  /** Of wakes alone. */
  readonly bursts: number;
}

export interface WakesResult {
  /** The median of all bursts. */
  readonly wakesPerSecond: number;
  /** That rate beside the one of empty jobs right after: a slower machine, or a busier one, has less of both. */
  readonly wakesPerBullmqJob: number;
  readonly bursts: readonly Burst[];
  /** Processor time of one wake-up (and its suspend), in milliseconds: by kind of process, and all of it. */
  readonly cpuMsPerWake: Readonly<Record<string, number>>;
  /** Of that, what only one processor can do for each process: when it fills one, more processes are needed. */
  readonly mainThreadMsPerWake: Readonly<Record<string, number>>;
  /** What two processors would do if they did nothing else: the figure that a busy machine does not falsify. */
  readonly wakesPerSecondOnTwoCores: number;
  readonly answeredMs: { readonly p50: number; readonly p95: number };
  readonly queueMs: { readonly p50: number; readonly p95: number };
  readonly redisCallsPerWake: Readonly<Record<string, number>>;
  readonly reference: Reference;
  /** Of Redis' one thread, in its scripts. */
  readonly redisScriptMsPerWake: number;
}

export async function measureWakes(settings: WakesSettings, run: Run): Promise<WakesResult> {
  await using simulated = await startSimulatedPlatform(settings);
  await simulated.template('growth');
  await using caller = createCaller(simulated.urls);
  const lanes = lanesOf(settings.lanes, settings.actorsPerLane, 'growth');
  run.say(`creating ${lanes.flat().length} actors`);
  for (const lane of lanes) await Promise.all(lane.map((id) => caller.create(id, 'growth')));
  run.say('warming up');
  await runLanes(caller, lanes, elapsed(settings.warmUpMs, run));
  await using reference = await openReference(simulated.redisUrl, simulated.pids['redis'] ?? []);
  const pids = { ...simulated.pids, caller: [process.pid] };
  const samples: WakeSample[] = [];
  const bursts: Burst[] = [];
  const used: [cpu: Cpu, mainThread: Cpu] = [{}, {}];
  const calls: Record<string, number> = {};
  let busyMs = 0;
  for (let burst = 0; burst < (settings.suspends ? 1 : settings.bursts); burst++) {
    run.signal.throwIfAborted();
    if (!settings.suspends) await putToSleep(caller, lanes);
    const redis = await watchRedis(simulated.redisUrl);
    const before = await Promise.all([cpuByKind(pids, cpuMs), cpuByKind(pids, mainThreadCpuMs)]);
    run.say('measuring');
    const began = performance.now();
    const taken = settings.suspends
      ? await runLanes(caller, lanes, elapsed(settings.measureMs, run))
      : await wakeEach(caller, lanes);
    const seconds = (performance.now() - began) / 1000;
    const after = await Promise.all([cpuByKind(pids, cpuMs), cpuByKind(pids, mainThreadCpuMs)]);
    for (const which of [0, 1] as const) addTo(used[which], after[which], before[which]);
    const work = await redis.end();
    addTo(calls, work.calls);
    busyMs += work.busyMs;
    samples.push(...taken);
    const bullmqJobsPerSecond = await reference.bullmqJobsPerSecond();
    bursts.push({ wakesPerSecond: Math.round(taken.length / seconds), bullmqJobsPerSecond });
  }
  const perWake = (value: number): number => Math.round((1000 * value) / samples.length) / 1000;
  const cpu = mapValues(used[0], perWake);
  const all = Object.values(cpu).reduce((sum, each) => sum + each, 0);
  return {
    wakesPerSecond: medianOf(bursts.map((burst) => burst.wakesPerSecond)),
    wakesPerBullmqJob: medianOf(bursts.map((burst) => burst.wakesPerSecond / burst.bullmqJobsPerSecond)),
    bursts,
    cpuMsPerWake: { ...cpu, all },
    mainThreadMsPerWake: mapValues(used[1], perWake),
    wakesPerSecondOnTwoCores: Math.round(2000 / all),
    answeredMs: spread(samples.map(({ answeredMs }) => answeredMs)),
    queueMs: spread(samples.map(({ queueMs }) => queueMs)),
    reference: {
      bullmqJobsPerSecond: medianOf(bursts.map((burst) => burst.bullmqJobsPerSecond)),
      ...(await reference.costs()),
    },
    redisScriptMsPerWake: perWake(busyMs),
    redisCallsPerWake: Object.fromEntries(
      Object.entries(mapValues(calls, perWake))
        .filter(([, count]) => count >= 0.1)
        .sort(([, a], [, b]) => b - a),
    ),
  };
}

export interface Burst {
  readonly wakesPerSecond: number;
  readonly bullmqJobsPerSecond: number;
}

type Cpu = Record<string, number>;

function addTo(sum: Cpu, more: Readonly<Cpu>, less: Readonly<Cpu> = {}): void {
  for (const [name, value] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + value - (less[name] ?? 0);
}

const mapValues = (of: Readonly<Cpu>, change: (value: number) => number): Cpu =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, change(value)]));

const medianOf = (values: readonly number[]): number => Math.round(1000 * (median(values) ?? NaN)) / 1000;

/**
 * So that each has a generation of its own, as actors have. All of them are awake at once before: simulators then have the
 * servers that they need, and none is opened while it is measured.
 */
async function putToSleep(caller: Caller, lanes: readonly (readonly string[])[]): Promise<void> {
  await wakeEach(caller, lanes);
  const rest = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) await caller.suspend(id);
  };
  await Promise.all(lanes.map(rest));
}

async function cpuByKind(
  pids: Readonly<Record<string, readonly number[]>>,
  used: (pids: readonly number[]) => Promise<number>,
): Promise<Record<string, number>> {
  const entries = Object.entries(pids).map(async ([kind, each]) => [kind, await used(each)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

export const spread = (samples: readonly number[]) => ({
  p50: Math.round(percentile(samples, 50) ?? NaN),
  p95: Math.round(percentile(samples, 95) ?? NaN),
});
