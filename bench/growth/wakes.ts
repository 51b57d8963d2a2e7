/**
 * How many wake-ups a second the control plane does, and what each costs: processor time by process, Redis calls, queueing.
 * With the suspend that each needs before the next, or alone: then so many actors are put to sleep before it is measured,
 * and each is called once.
 */
import { percentile } from '../../loadtest/percentile.ts';
import { cpuMs, mainThreadCpuMs } from '../process-look.ts';
import { createCaller, lanesOf, runLanes, wakeEach, type Caller } from './actor-lanes.ts';
import { measureReference, type Reference } from './reference.ts';
import { watchRedis } from './redis-work.ts';
import { elapsed, type Run } from './run.ts';
import { startSimulatedPlatform, type Size } from './simulated-platform.ts';

export interface WakesSettings extends Size {
  readonly lanes: number;
  readonly actorsPerLane: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly suspends: boolean;
}

export interface WakesResult {
  readonly wakesPerSecond: number;
  /** That rate beside the one of empty jobs in the same run: a slower machine, or a busier one, has less of both. */
  readonly wakesPerBullmqJob: number;
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
  if (!settings.suspends) await putToSleepOnce(caller, lanes);
  const redis = await watchRedis(simulated.redisUrl);
  const pids = { ...simulated.pids, caller: [process.pid] };
  const before = await Promise.all([cpuByKind(pids, cpuMs), cpuByKind(pids, mainThreadCpuMs)]);
  run.say('measuring');
  const began = performance.now();
  const samples = settings.suspends
    ? await runLanes(caller, lanes, elapsed(settings.measureMs, run))
    : await wakeEach(caller, lanes);
  const seconds = (performance.now() - began) / 1000;
  const after = await Promise.all([cpuByKind(pids, cpuMs), cpuByKind(pids, mainThreadCpuMs)]);
  const { calls, busyMs } = await redis.end();
  const reference = await measureReference(simulated.redisUrl, simulated.pids['redis'] ?? []);
  const perWake = (value: number): number => Math.round((1000 * value) / samples.length) / 1000;
  const used = (which: 0 | 1): Record<string, number> =>
    Object.fromEntries(
      Object.entries(after[which]).map(([kind, ms]) => [kind, perWake(ms - (before[which][kind] ?? 0))]),
    );
  const cpu = used(0);
  const all = Object.values(cpu).reduce((sum, each) => sum + each, 0);
  const wakesPerSecond = Math.round(samples.length / seconds);
  return {
    wakesPerSecond,
    wakesPerBullmqJob: Math.round((1000 * wakesPerSecond) / reference.bullmqJobsPerSecond) / 1000,
    cpuMsPerWake: { ...cpu, all },
    mainThreadMsPerWake: used(1),
    wakesPerSecondOnTwoCores: Math.round(2000 / all),
    answeredMs: spread(samples.map(({ answeredMs }) => answeredMs)),
    queueMs: spread(samples.map(({ queueMs }) => queueMs)),
    reference,
    redisScriptMsPerWake: perWake(busyMs),
    redisCallsPerWake: Object.fromEntries(
      Object.entries(calls)
        .map(([name, count]) => [name, perWake(count)] as const)
        .filter(([, count]) => count >= 0.1)
        .sort(([, a], [, b]) => b - a),
    ),
  };
}

/**
 * So that each has a generation of its own, as actors have. All of them are awake at once before: simulators then have the
 * servers that they need, and none is opened while it is measured.
 */
async function putToSleepOnce(caller: Caller, lanes: readonly (readonly string[])[]): Promise<void> {
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
