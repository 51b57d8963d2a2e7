/**
 * Whether a burst of wakes of one template holds up a single wake of another: a lone actor is woken and put to sleep again and
 * again, first on a quiet platform, then while lanes of another template's actors are called all the time.
 */
import { createCaller, lanesOf, runLanes } from './actor-lanes.ts';
import { elapsed, type Run } from './run.ts';
import { startSimulatedPlatform, type Size } from './simulated-platform.ts';
import { spread } from './wakes.ts';

export interface FairnessSettings extends Size {
  /** Actors of the burst, all called at once. */
  readonly lanes: number;
  readonly measureMs: number;
}

interface Spread {
  readonly p50: number;
  readonly p95: number;
  /** Of that: from the decision to wake it to its job. */
  readonly queue: { readonly p50: number; readonly p95: number };
}

export interface FairnessResult {
  readonly quiet: { readonly rounds: number } & Spread;
  readonly duringBurst: { readonly rounds: number } & Spread;
  /** What an actor of the burst waited meanwhile. */
  readonly burst: { readonly rounds: number } & Spread;
  /** Of the lone actor's p95; wanted: at most 2. */
  readonly ratio: number;
}

export async function measureFairness(settings: FairnessSettings, run: Run): Promise<FairnessResult> {
  await using simulated = await startSimulatedPlatform(settings);
  await using caller = createCaller(simulated.urls);
  // Connections of its own: the lone call must not wait in this process behind the burst.
  await using loneCaller = createCaller(simulated.urls);
  await simulated.template('lone');
  await simulated.template('burst');
  const lanes = lanesOf(settings.lanes, 1, 'burst');
  run.say(`creating ${lanes.length} actors`);
  await caller.create('lone-0', 'lone');
  for (const id of lanes.flat()) await caller.create(id, 'burst');
  await runLanes(loneCaller, [['lone-0']], elapsed(settings.measureMs / 4, run));
  run.say('measuring the lone actor on a quiet platform');
  const quiet = await runLanes(loneCaller, [['lone-0']], elapsed(settings.measureMs, run));
  run.say('measuring it beside the burst');
  const over = elapsed(2 * settings.measureMs, run);
  const burst = runLanes(caller, lanes, over);
  const [duringBurst, ofBurst] = await Promise.all([runLanes(loneCaller, [['lone-0']], over), burst]);
  const facts = (samples: typeof quiet) => ({
    ...spread(samples.map(({ answeredMs }) => answeredMs)),
    queue: spread(samples.map(({ queueMs }) => queueMs)),
    rounds: samples.length,
  });
  const [before, beside] = [facts(quiet), facts(duringBurst)];
  const ratio = Math.round((100 * beside.p95) / before.p95) / 100;
  return { quiet: before, duringBurst: beside, burst: facts(ofBurst), ratio };
}
