/** Steps that more than one case takes, under the figures' one set of names. */
import type { DormouseClient } from '../../sdk/client.ts';
import type { Bench } from '../bench.ts';
import { timedSuspend, timedWake } from '../platform-actor.ts';
import type { RawActor } from '../raw/actor.ts';
import type { Step } from '../rounds.ts';

/** Actors of the bench sleep when they are told to, and never in the middle of a measurement. */
export const neverIdleMs = 86_400_000;

/** Wakes the raw actor and puts it to sleep again. */
export function rawStep({ figures }: Bench, template: string, raw: RawActor, how: 'pooled' | 'started'): Step {
  const name = `raw ${how} wake`;
  return {
    name,
    async run(signal) {
      const wake = await raw.wake(how, signal);
      figures.add(`${template} ${name} running`, 'ms', wake.runningMs, wake.phases);
      figures.add(`${template} ${name} first answer`, 'ms', wake.firstAnswerMs, wake.phases);
      const suspend = await raw.suspend(signal);
      figures.add(`${template} raw suspend frozen`, 'ms', suspend.frozenMs, suspend.phases);
      figures.add(`${template} raw suspend durable`, 'ms', suspend.durableMs, suspend.phases);
      figures.add(`${template} raw suspend bytes`, 'bytes', suspend.bytes);
    },
  };
}

/** A user's call wakes the actor wherever the platform likes; then it sleeps again. `label` names the figures. */
export function wakeStep(bench: Bench, label: string, client: DormouseClient, actor: string): Step {
  return {
    name: `${label} wake`,
    async run(signal) {
      const wake = await timedWake(client, actor, signal);
      bench.figures.add(`${label} wake running`, 'ms', wake.runningMs, wake.phases);
      bench.figures.add(`${label} wake first answer`, 'ms', wake.firstAnswerMs, wake.phases);
      await recordSuspend(bench, label, client, actor, signal);
    },
  };
}

export async function recordSuspend(
  { figures }: Bench,
  label: string,
  client: DormouseClient,
  actor: string,
  signal: AbortSignal,
): Promise<void> {
  const suspend = await timedSuspend(client, actor, signal);
  figures.add(`${label} suspend frozen`, 'ms', suspend.frozenMs, suspend.phases);
  figures.add(`${label} suspend durable`, 'ms', suspend.durableMs, suspend.phases);
  figures.add(`${label} suspend answered`, 'ms', suspend.answeredMs);
  figures.add(`${label} suspend bytes`, 'bytes', suspend.bytes);
}
