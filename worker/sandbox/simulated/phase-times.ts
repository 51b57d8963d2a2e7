/** How long each step of a simulated sandbox takes: `name=milliseconds`, comma-separated; what is not named keeps its default. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/**
 * One counter actor of 256 MiB under emulation on two processors, by bare QEMU: a pooled network, a VMM and its file system
 * daemon started while the golden's memory is copied, the device state loaded. Other machines: `npm run bench`.
 */
const measured = {
  network: 1,
  lower: 2,
  vmm: 45,
  memory: 37,
  load: 11,
  guest: 6,
  freeze: 7,
  capture: 20,
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
