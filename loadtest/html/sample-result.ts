/** For tests only: a result with everything in it that a page can show. Its figures are made up. */
import { seededRandom } from '../load/random.ts';
import { kneeOf } from '../load/knee.ts';
import { compareCounts, memoryTrend, type MemoryPoint } from '../leak/verdict.ts';
import { resultSchemaVersion, type RunResult, type Sample, type StartKind } from '../result/result.ts';
import { ratioOf, summariesOf } from '../result/summary.ts';

const startedAt = '2030-01-01T00:00:00.000Z';
const instant = (second: number): string => new Date(Date.parse(startedAt) + second * 1000).toISOString();

/** Typical milliseconds of each phase. */
const phasesOf: Readonly<Record<StartKind, Readonly<Record<string, number>>>> = {
  cold: { queue: 3, fetch: 12, images: 40, vmm: 800, guest: 60, containers: 420, app: 8 },
  warm: { queue: 3, fetch: 14, images: 2, vmm: 20, memory: 35, load: 22, guest: 12, app: 6 },
  hot: { app: 2 },
};

const series = [
  { name: 'cold', expects: 'cold', calls: 20 },
  { name: 'warm', expects: 'warm', calls: 60 },
  { name: 'warm, other node', expects: 'warm', calls: 60 },
  { name: 'hot', expects: 'hot', calls: 400 },
] as const;

const random = seededRandom(1);

function sample(name: string, start: StartKind, second: number, slower: number): Sample {
  const factor = slower * (0.8 + 0.4 * random() + (random() < 0.03 ? 2 : 0));
  const phases = Object.fromEntries(Object.entries(phasesOf[start]).map(([phase, ms]) => [phase, ms * factor]));
  const total = Object.values(phases).reduce((sum, ms) => sum + ms, 0);
  const head = { series: name, actor: 'a', at: instant(second), lateMs: 0.1, phases: { ...phases, total } };
  if (random() < 0.01)
    return { ...head, phases: {}, ok: false, error: { code: 'no-capacity', message: 'no node has room' } };
  return { ...head, ok: true, start, status: 200, latencyMs: total + 1 };
}

/** `slower` makes another run of the same kind, to compare it with. */
export function sampleResult(slower = 1): RunResult {
  const samples = series.flatMap(({ name, expects, calls }) =>
    Array.from({ length: calls }, (_, index) =>
      sample(name, expects, (index * 60) / calls, name.endsWith('node') ? slower * 1.3 : slower),
    ),
  );
  const summaries = summariesOf(series, samples);
  const seconds = Array.from({ length: 60 }, (_, second) => second);
  const rates = [10, 20, 40, 80, 160].map((ratePerS, index) => ({
    ...{ ratePerS, offered: ratePerS * 10, succeeded: ratePerS * (index === 4 ? 8 : 10) },
    ...{ p50Ms: 2 + 2 ** index, p99Ms: 10 + 4 ** index },
  }));
  const { ratePerS, ...knee } = kneeOf(rates, { p50BoundMs: 100 });
  const memory = (name: string, mib: number) =>
    memoryTrend(
      name,
      seconds.map((second): MemoryPoint => [second, mib + 5 * Math.sin(second) + second / 20]),
    );
  return {
    ...{ schemaVersion: resultSchemaVersion, startedAt, finishedAt: instant(60), interrupted: false },
    machine: {
      ...{ cpus: 2, cpuModel: 'A Processor of Some Name @ 2.00GHz', memoryMiB: 8192 },
      ...{ platform: 'Linux 6.12 x64', loadAverage: [0.3, 1.7] },
    },
    versions: { node: '24.0.0', api: '0.1.0', runtimes: ['tcg qemu 10.0 6.12'] },
    commit: '0123456789abcdef0123456789abcdef01234567',
    ...{ settings: { scenario: 'all', rounds: 20 }, scenario: 'all', templates: ['counter'], discarded: 9 },
    ...{ summaries, samples, ratios: [ratioOf(summaries, 'cold', 'warm'), ratioOf(summaries, 'warm', 'hot')] },
    preparations: [],
    ladder: { steps: rates, p50BoundMs: 100, knee: { ...knee, ...(ratePerS === undefined ? {} : { ratePerS }) } },
    leaks: {
      ...{ cycles: 240, seconds: 60, sources: ['nodes of the API', 'this machine'] },
      counts: compareCounts(
        { processes: 7, descriptors: 310, mounts: 4 },
        { processes: 7, descriptors: 312, mounts: 5 },
      ),
      memory: [memory('api/main.ts 4711', 140), memory('worker/main.ts 4712', 180), memory('redis-server 4713', 12)],
    },
    notes: ['what <b>anyone</b> & "someone" wrote stays text'],
    sleeps: ['warm', 'warm, other node'].flatMap((name, index) =>
      seconds.map((second) => ({
        ...{ series: name, actor: 'a', at: instant(second), durationMs: 80 + second },
        shippedBytes: (index + 1) * 1_300_000,
      })),
    ),
    looks: seconds.map((second) => ({
      at: instant(second),
      nodes: ['node-1', 'node-2'].map((id, index) => ({
        ...{ id, usedSlots: 1 + ((second + index) % 3), memoryMiB: 2048 },
        usedMemoryMiB: 256 * (1 + ((second + index * 7) % 11 > 5 ? 1 : 0) + index),
      })),
      metrics: { dormouse_wakes_total: second * 3, process_resident_memory_bytes: 1.4e8 + second * 1e5 },
    })),
  };
}
