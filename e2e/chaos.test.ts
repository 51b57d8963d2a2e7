import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { reportText } from './chaos/report.ts';
import { runChaos } from './chaos/run.ts';

const kills = ['kill-worker', 'kill-api', 'kill-vmm', 'kill-virtiofsd', 'kill-redis', 'kill-watchdog'] as const;

suite('chaos', () => {
  test('while processes are killed and stopped, no promise to the clients breaks', async () => {
    const lines: string[] = [];
    const { evidence, violations } = await runChaos({
      ...{ seed: 1, durationMs: 35_000, actors: 3, clients: 6, nodes: 2, leaseMs: 3000 },
      faults: [...kills, 'stop-worker', 'cut-api', 'disk-full'],
      say: (line) => lines.push(line),
    });
    assert.deepEqual(violations, [], `${lines.join('\n')}\n${reportText({ seed: 1 }, evidence, violations)}`);
  });
});
