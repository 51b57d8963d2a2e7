/**
 * The memory of a running actor: what its guest has touched, what of that is the guest agent's, and what the VMM and the file
 * system daemon take beside.
 */
import { stat } from 'node:fs/promises';
import type { Bench } from '../bench.ts';
import { bundledSpec } from '../bundled-spec.ts';
import type { TemplateName } from '../config.ts';
import { agentMemory } from '../raw/agent-memory.ts';
import { removeActor, usedActor } from '../platform-actor.ts';
import { memoryOf } from '../process-look.ts';
import { alternate } from '../rounds.ts';
import { vmOf } from '../vm-look.ts';
import { neverIdleMs } from './steps.ts';

const port = 8080;
/** Memory hardly differs from one actor to the next. */
const densityRounds = 3;
const mebibyte = 2 ** 20;
const blockBytes = 512;

export async function measureDensity(bench: Bench, template: TemplateName): Promise<void> {
  const { figures } = bench;
  const { client, home, ...platform } = await bench.platform('file');
  await platform.template(template, { idleTimeoutMs: neverIdleMs });
  const look = async (signal: AbortSignal): Promise<void> => {
    const actor = await usedActor(client, template, signal);
    const { vmmPid, daemonPid, memoryPath } = await vmOf(home, actor, port, signal);
    const touched = (await stat(memoryPath)).blocks * blockBytes;
    figures.add(`${template} guest memory`, 'MiB', touched / mebibyte);
    const vmm = await memoryOf(vmmPid, memoryPath);
    figures.add(`${template} VMM beside it`, 'MiB', (vmm.pssBytes - vmm.pssOfFileBytes) / mebibyte);
    if (daemonPid !== undefined) {
      const daemon = await memoryOf(daemonPid, memoryPath);
      figures.add(`${template} virtiofsd beside it`, 'MiB', (daemon.pssBytes - daemon.pssOfFileBytes) / mebibyte);
    }
    await removeActor(client, actor, signal);
  };
  await using guest = await bench.rawGuest(`density-${template}`, await bundledSpec(template));
  const lookInside = async (signal: AbortSignal): Promise<void> => {
    const { anonymousBytes, programBytes } = await agentMemory(guest, signal);
    figures.add(`${template} guest agent, own pages`, 'MiB', anonymousBytes / mebibyte);
    figures.add(`${template} guest agent, program`, 'MiB', programBytes / mebibyte);
  };
  const rounds = Math.min(densityRounds, bench.settings.rounds);
  const steps = [
    { name: 'a running actor', run: look },
    { name: 'its guest agent', run: lookInside },
  ];
  await alternate(bench, `memory of ${template}`, steps, rounds);
}
