import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { qemuArguments, type Machine } from './command-line.ts';

const machine: Machine = {
  ...{ machine: 'pc-q35-10.0', cpuModel: 'max', accelerator: 'tcg' },
  ...{ kernelPath: 'vmlinux', initramfsPath: 'initramfs', kernelArguments: 'quiet' },
};

const acceleratorOf = (accelerator: Machine['accelerator'], memoryMiB: number): string | undefined => {
  const options = { folder: '/f', memoryPath: '/m', memoryMiB, vcpus: 1, mode: 'boot' } as const;
  const words = qemuArguments({ ...machine, accelerator }, options);
  return words[words.indexOf('-accel') + 1];
};

suite('the command line of QEMU', () => {
  test('what the emulator keeps of translated code is bounded by the guest’s size; hardware translates nothing', () => {
    assert.equal(acceleratorOf('tcg', 1024), 'tcg,thread=multi,tb-size=256');
    assert.equal(acceleratorOf('tcg', 128), 'tcg,thread=multi,tb-size=128');
    assert.equal(acceleratorOf('kvm', 1024), 'kvm');
  });
});
