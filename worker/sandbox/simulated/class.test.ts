import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { incompatibilities } from '../../../shared/snapshot/manifest.ts';
import { readWorkerConfig } from '../../config.ts';
import { standInRuntime } from '../../jobs/stand-in/sandbox.ts';
import { createPhaseClock } from '../phase-clock.ts';
import type { Sandbox } from '../sandbox.ts';
import { simulatedClass, simulatedRuntime } from './class.ts';
import { phaseTimesSchema } from './phase-times.ts';

const port = 18_080;
const spec = { label: 'a', memoryMiB: 128, vcpus: 1, egress: { allow: [] }, lowers: [] };
const times = phaseTimesSchema.parse(
  'network=0,lower=0,vmm=3,memory=0,load=0,guest=0,freeze=0,capture=0,boot=0,containers=0',
);
const { signal } = new AbortController();
const minimal = { DORMOUSE_REDIS_URL: 'redis://127.0.0.1:1', DORMOUSE_HOME: '/tmp/d' };

async function countOf(sandbox: Sandbox): Promise<unknown> {
  const answer = await fetch(`http://${sandbox.address}:${port}/`);
  return ((await answer.json()) as { count: unknown }).count;
}

suite('simulated sandboxes', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-simulated-'));
  });
  after(() => rm(folder, { recursive: true }));
  const simulators = simulatedClass({ times, runFolder: '/nowhere' });

  test('one counts on where it was captured, and takes the time of each phase', async () => {
    await using first = await simulators.boot(spec, createPhaseClock(), signal);
    const probe = { port, intervalMs: 100 };
    await first.start([{ name: 'main', config: {}, upperSizeBytes: 1, probe }], 1000, signal);
    assert.equal(await countOf(first), 1);
    assert.equal(await countOf(first), 2);
    await first.freeze(createPhaseClock(), signal);
    const late = countOf(first); // waits for the thaw
    const { memory, device } = await first.capture(folder, undefined, signal);
    const clock = createPhaseClock();
    const own = { memoryPaths: [memory.path], devicePath: device.path };
    const prepared = await simulators.prepare(spec, undefined, clock, signal);
    await using second = await prepared.restore(own, clock, signal);
    assert.notEqual(second.address, first.address);
    assert.equal(await countOf(second), 3);
    assert.deepEqual(Object.keys(clock.phases).sort(), ['load', 'lower', 'memory', 'network', 'vmm']);
    await first.thaw(signal);
    assert.equal(await late, 3);
  });

  test('anything but its own memory is refused', async () => {
    const memoryPath = path.join(folder, 'foreign');
    await writeFile(memoryPath, Buffer.alloc(4096));
    const own = { memoryPaths: [memoryPath], devicePath: '/nowhere' };
    const prepared = await simulators.prepare(spec, undefined, createPhaseClock(), signal);
    await assert.rejects(prepared.restore(own, createPhaseClock(), signal), { code: 'snapshot-corrupt' });
  });

  test('neither loads what the other has captured', () => {
    assert.ok(incompatibilities(standInRuntime, simulatedRuntime).some((words) => words.startsWith('vmm:')));
    assert.ok(incompatibilities(simulatedRuntime, standInRuntime).some((words) => words.startsWith('vmm:')));
  });

  test('only an explicit setting chooses them', () => {
    assert.equal(readWorkerConfig(minimal).sandbox, 'microvm');
    assert.equal(readWorkerConfig({ ...minimal, DORMOUSE_SANDBOX: 'simulated' }).sandbox, 'simulated');
    const wrong = { ...minimal, DORMOUSE_SIMULATED_PHASES: 'vmm=5,nap=1' };
    assert.throws(() => readWorkerConfig(wrong), /nap=1: <phase>=<ms>/);
  });
});
