/** The first half of a suspend and of a pause: the door closes, the VM stands still, and what it is lies in files. */
import type { Activation } from '../activation/activation.ts';
import type { NodeContext } from '../node-context.ts';
import type { PhaseClock } from '../sandbox/phase-clock.ts';
import type { Capture, CaptureOptions } from '../sandbox/sandbox.ts';
import type { TransferFolder } from './transfer-folder.ts';

export async function captureActivation(
  context: NodeContext,
  activation: Activation,
  folder: TransferFolder,
  clock: PhaseClock,
  signal: AbortSignal,
  options?: CaptureOptions,
): Promise<Capture> {
  const { sandbox, base, identity, gate } = activation;
  const outcome = await clock.measure('drain', () => gate.drain(context.drainMs));
  if (outcome === 'cut') context.log.warn({ actorId: identity.id }, 'requests were cut off by a suspend');
  activation.connections.destroy();
  await sandbox.freeze(clock, signal);
  const capture = async (): Promise<Capture> => sandbox.capture(await folder.path(), base?.path, signal, options);
  return await clock.measure('capture', capture);
}
