/**
 * What a VMM takes of the machine beside its guest's memory, and what settings that lower it cost: raw VMs that differ in
 * the bound of the emulator's translated code and in what glibc is told about freed memory. Each begins
 * with the same golden, is called for a while, and runs some programs where the image has one to run.
 */
import { workerAllocator } from '../../infra/stack/processes.ts';
import type { Bench } from '../bench.ts';
import { bundledSpec } from '../bundled-spec.ts';
import type { TemplateName } from '../config.ts';
import { callFor } from '../load.ts';
import { memoryOf } from '../process-look.ts';
import { rawActorOf, type RawActor } from '../raw/actor.ts';
import { tunedGuest } from '../raw/guest.ts';
import type { Tuning } from '../raw/machine.ts';
import { alternate, type Step } from '../rounds.ts';

const mebibyte = 2 ** 20;
/** Memory hardly differs from one life to the next. */
const vmmRounds = 5;
/** Long enough for the code of a call to be translated, short enough for many settings. */
const callMs = 1000;
/** A program is new code for the emulator each time: what is left of it when it has ended is looked at. */
const programs = 5;
const program = [
  '/usr/bin/node',
  '-e',
  'for (let i = 0; i < 2e5; i++) JSON.parse(JSON.stringify({ i, text: `x${i}` }))',
];

/** The first is what all others are compared with. */
const variants: Readonly<Record<string, Tuning>> = {
  'no settings': {},
  'code below 32 MiB': { translationMiB: 32 },
  'code below 64 MiB': { translationMiB: 64 },
  'code below 128 MiB': { translationMiB: 128 },
  'the worker’s allocator': { environment: workerAllocator },
};

export async function measureVmm(bench: Bench, template: TemplateName): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const guest = resources.use(await bench.rawGuest(`vmm-${template}`, await bundledSpec(template)));
  const steps: Step[] = [];
  for (const [name, tuning] of Object.entries(variants)) {
    bench.say(`vmm: booting ${template}, ${name}`);
    const actor = resources.use(await rawActorOf(tunedGuest(guest, String(steps.length), tuning), bench.signal));
    const runs = template === 'node-counter' ? programs : 0; // the counter's image has nothing but the counter
    steps.push(step(bench, `${template} vmm, ${name}`, actor, guest.port, runs));
  }
  const rounds = Math.min(vmmRounds, bench.settings.rounds);
  await alternate(bench, `settings of the VMM, ${template}`, steps, rounds);
}

function step({ figures }: Bench, label: string, actor: RawActor, port: number, runs: number): Step {
  return {
    name: label,
    async run(signal) {
      await actor.startOver();
      figures.add(`${label}, wake`, 'ms', (await actor.wake('pooled', signal)).firstAnswerMs);
      const { address, pids, memory } = actor.vm();
      const [vmmPid = 0, daemonPid = 0] = pids;
      const record = async (what: string, pid: number): Promise<void> => {
        const { pssBytes, pssOfFileBytes } = await memoryOf(pid, memory);
        figures.add(`${label}, ${what}`, 'MiB', (pssBytes - pssOfFileBytes) / mebibyte);
      };
      await record('memory after the wake', vmmPid);
      const { p50Ms } = await callFor(`http://${address}:${port}/healthz`, callMs, 1, signal);
      figures.add(`${label}, call p50`, 'ms', p50Ms);
      await record('memory after calls', vmmPid);
      await record('memory of virtiofsd', daemonPid);
      for (let run = 0; run < runs; run++) {
        const began = performance.now();
        await actor.run(program, signal);
        figures.add(`${label}, program`, 'ms', performance.now() - began);
      }
      if (runs > 0) await record('memory after programs', vmmPid);
      await actor.suspend(signal);
    },
  };
}
