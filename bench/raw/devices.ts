/** A VM's device state into a file and out of one. */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { RawVm } from './vm.ts';

/** Saves every device and no memory; despite its name it has nothing to do with Xen. */
export async function saveDevices(vm: RawVm, file: string, signal: AbortSignal): Promise<void> {
  await vm.command('xen-save-devices-state', { filename: file, live: true }, signal);
}

/** Asks again at once: one question takes a fraction of a millisecond, and the load takes about ten. */
export async function loadDevices(vm: RawVm, file: string, signal: AbortSignal): Promise<void> {
  await vm.command('migrate-incoming', { uri: `file:${file}` }, signal);
  for (;;) {
    const { status } = (await vm.command('query-migrate', {}, signal)) as { status?: string };
    if (status === 'completed') return;
    if (status === 'failed') throw new DormouseError('vmm-failed', 'raw harness: the device state cannot be loaded');
  }
}
