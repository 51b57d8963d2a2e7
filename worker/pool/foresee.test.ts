/** The registry is real, on a real Redis; the pool only says what it was told to expect (pool.test.ts is its own test). */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { until } from '../../shared/process/until.ts';
import type { RuntimeKey } from '../../shared/snapshot/manifest.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { revisionOf } from '../../shared/template/template-spec.ts';
import { performJob } from '../jobs/consume.ts';
import { createJobsInHand } from '../jobs/job-in-hand.ts';
import { newPlan } from '../jobs/stand-in/faults.ts';
import {
  jobOf,
  nodeId,
  preparing,
  specOf,
  standInNode,
  startGrounds,
  type Grounds,
  type StandInNode,
} from '../jobs/stand-in/node.ts';
import { standInRuntime } from '../jobs/stand-in/sandbox.ts';
import { foresee, type Foresight } from './foresee.ts';

suite('templates that become ready', () => {
  let grounds: Grounds;
  let node: StandInNode;
  before(async () => {
    grounds = await startGrounds();
    node = await standInNode(grounds, newPlan());
  });
  after(() => grounds[Symbol.asyncDispose]());

  /** A node's foresight, and what it has expected so far. */
  function watching(changes: { readonly runtime?: RuntimeKey; readonly nodeId?: string } = {}) {
    const [expected, asked]: [string[], string[]] = [[], []];
    const expect = ({ spec }: { spec: { name: string } }): void => void expected.push(spec.name);
    const { folder } = grounds;
    const registry: Foresight['registry'] = {
      watchFleet: (listener) => grounds.registry.watchFleet(listener),
      getTemplate: (name) => (asked.push(name), grounds.registry.getTemplate(name)),
      getNode: (id) => grounds.registry.getNode(id),
    };
    const facts = { nodeId, runtime: standInRuntime, folder, log: createLogger('silent', {}), ...changes };
    return Object.assign(foresee({ registry, pool: { expect }, ...facts }), { expected, asked });
  }

  async function prepare(template: string): Promise<void> {
    await preparing(grounds, template);
    const subject = { template, revision: revisionOf(specOf(template)) };
    await performJob(node.context, createJobsInHand(), jobOf('prepare-template', subject));
  }

  const told = (expected: readonly string[], name: string): Promise<void> =>
    until(() => expected.includes(name), {
      signal: AbortSignal.timeout(10_000),
      everyMs: 5,
      what: `${name} to be expected`,
    });

  test('are expected by a node that could run them, whoever prepared them', async () => {
    using here = watching();
    await prepare('counter');
    await told(here.expected, 'counter');
    assert.deepEqual(here.expected, ['counter']);
  });

  test('are not expected while they are prepared, by another kind of node, nor by one that drains or is unknown', async () => {
    using another = watching({ runtime: { ...standInRuntime, vmmVersion: '11' } });
    using unknown = watching({ nodeId: 'node-9' });
    using here = watching();
    await grounds.registry.setNodeState(nodeId, 'draining');
    await prepare('unwanted');
    await told(here.asked, 'unwanted'); // together with the state of the node, on the connection that the next line uses
    await grounds.registry.setNodeState(nodeId, 'ready');
    await prepare('wanted');
    await told(here.expected, 'wanted');
    assert.deepEqual([here.expected, another.expected, unknown.expected], [['wanted'], [], []]);
  });
});
