/** How long each step of a simulated sandbox takes: `name=milliseconds`, comma-separated; what is not named keeps its default. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/**
 * One counter actor of 256 MiB under emulation on two processors, in a sandbox from the pool (so its network and VMM take
 * nothing): medians of `npm run bench -- --case wake,suspend,first`, `lower` being `images` there, and `freeze` with what
 * the guest is asked to do before it. A burst that has emptied the pool starts VMMs as well: `vmm=45,memory=37`.
 */
const measured = {
  network: 0,
  lower: 4,
  vmm: 0,
  memory: 7,
  load: 12,
  guest: 108,
  freeze: 14,
  capture: 35,
  boot: 2500,
  containers: 800,
};
export type SimulatedPhase = keyof typeof measured;
export type PhaseTimes = Readonly<Record<SimulatedPhase, number>>;

const isPhase = (name: string): name is SimulatedPhase => Object.hasOwn(measured, name);

export const phaseTimesSchema = z
  .string()
  .default('')
  .transform((text, context): PhaseTimes => {
    const times = { ...measured };
    for (const item of text.split(',').filter((each) => each !== '')) {
      const [name = '', value = ''] = item.split('=');
      if (isPhase(name) && /^\d{1,6}(\.\d+)?$/.test(value)) times[name] = Number(value);
      else
        context.addIssue({ code: 'custom', message: `${item}: <phase>=<ms>, of ${Object.keys(measured).join(', ')}` });
    }
    return times;
  });

/** A timer of 0 ms would still cost a turn of the event loop, which is not what 0 asks for. */
export async function take(times: PhaseTimes, phase: SimulatedPhase, signal: AbortSignal): Promise<void> {
  if (times[phase] > 0) await delay(times[phase], undefined, { signal });
}
