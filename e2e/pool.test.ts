import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { until } from '../shared/process/until.ts';
import { processesMarked } from '../worker/node/vm-processes.ts';
import { callCounter, resumeOn, suspend } from './counter-calls.ts';
import { startPlatform } from './platform.ts';
import { isReadyInWaiting } from './vm-states.ts';

const limitMs = 30_000;

suite('sandboxes in waiting', () => {
  test('a template that was prepared on one node is waited for on the other one too', async () => {
    await using platform = await startPlatform();
    const { client, home } = platform;
    await platform.template('counter');
    const nodes = ['node-1', 'node-2'];
    const waitingOn = (node: string): boolean =>
      processesMarked(home).some(
        ({ commandLine }) => isReadyInWaiting(commandLine) && commandLine.includes(`/nodes/${node}/`),
      );
    await until(() => nodes.every(waitingOn), {
      signal: AbortSignal.timeout(limitMs),
      everyMs: 20,
      what: 'one to wait on each node',
    });
    for (const node of nodes) {
      const id = `first-on-${node}`;
      await client.actors.create({ id, template: 'counter' });
      await resumeOn(client, id, node);
      assert.equal((await callCounter(client, id)).count.memory, 1);
      const phases = Object.keys((await client.actors.get(id)).lastStart?.phases ?? {});
      assert.ok(!phases.includes('vmm'), `it took what waited: ${phases.join()}`);
    }
  });

  test('a wake takes one that waits; a dead one is passed over; a drained node keeps none', async () => {
    await using platform = await startPlatform({ environment: { DORMOUSE_NODES: '1' } });
    const { client, home } = platform;
    const waiting = () => processesMarked(home).filter(({ commandLine }) => isReadyInWaiting(commandLine));
    /** A VMM and its daemon. */
    const untilWaiting = (processes: number): Promise<void> =>
      until(() => waiting().length === processes, {
        signal: AbortSignal.timeout(limitMs),
        everyMs: 20,
        what: `${processes} processes in waiting`,
      });
    /** What the api tells of it. */
    const untilTold = (ready: number): Promise<void> =>
      until(async () => ((await client.nodes.list())[0]?.pool[0]?.ready ?? 0) === ready, {
        signal: AbortSignal.timeout(limitMs),
        everyMs: 100,
        what: `${ready} sandboxes in waiting to be told of`,
      });
    /** Those of the phases of the last start that a start has only if it makes its own VM. */
    const ownWork = async (): Promise<string[]> =>
      Object.keys((await client.actors.get('pooled')).lastStart?.phases ?? {}).filter((name) =>
        ['network', 'lower', 'vmm'].includes(name),
      );

    await platform.template('counter');
    await client.actors.create({ id: 'pooled', template: 'counter' });
    await untilWaiting(2);
    await untilTold(1);
    const [first] = waiting();
    assert.equal((await callCounter(client, 'pooled')).count.memory, 1);
    assert.deepEqual(await ownWork(), [], 'what was prepared with the template served its first call');
    await until(() => waiting().length === 2 && waiting()[0]?.pid !== first?.pid, {
      signal: AbortSignal.timeout(limitMs),
      everyMs: 20,
      what: 'another one to wait',
    });
    await suspend(client, 'pooled');
    assert.equal((await callCounter(client, 'pooled')).count.memory, 2, 'its own pages lie over the golden’s');
    assert.deepEqual(await ownWork(), []);
    await suspend(client, 'pooled');

    await untilWaiting(2);
    for (const { pid } of waiting()) process.kill(pid, 'SIGSTOP');
    for (const { pid } of waiting()) process.kill(pid, 'SIGKILL');
    await resumeOn(client, 'pooled', 'node-1');
    assert.equal((await callCounter(client, 'pooled')).count.memory, 3);

    await untilWaiting(2);
    await client.nodes.drain('node-1');
    await untilWaiting(0);
    await untilTold(0);
    await client.actors.wait('pooled', 'suspended', { timeoutMs: limitMs });
  });
});
