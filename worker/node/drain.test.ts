import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revisionOf } from '../../shared/template/template-spec.ts';
import { performJob } from '../jobs/consume.ts';
import { newPlan } from '../jobs/stand-in/faults.ts';
import { ask, jobOf, preparing, sleeping, specOf, standInNode, startGrounds } from '../jobs/stand-in/node.ts';
import { suspendAll } from './drain.ts';

test('a node that stops suspends what runs on it and what it keeps paused', async () => {
  await using grounds = await startGrounds();
  await preparing(grounds, 'counter');
  const { context, inHand, live } = await standInNode(grounds, newPlan());
  const revision = revisionOf(specOf('counter'));
  await performJob(context, inHand, jobOf('prepare-template', { template: 'counter', revision }));
  for (const id of ['runs', 'paused']) {
    await sleeping(grounds, id, 'counter');
    for (const request of id === 'runs' ? (['resume'] as const) : (['resume', 'pause'] as const)) {
      const job = await ask(grounds, id, request);
      assert.ok(job);
      await performJob(context, inHand, job);
    }
  }
  const sender = {
    ...context.sender,
    send: (_node: string, job: Parameters<typeof performJob>[2]) => performJob(context, inHand, job),
  };
  assert.deepEqual(await suspendAll({ ...context, sender }, 'test', AbortSignal.timeout(5000)), []);
  assert.equal(live.size, 0);
  for (const id of ['runs', 'paused']) {
    const record = await grounds.registry.getActor(id);
    assert.deepEqual([record?.state, record?.generation], ['suspended', 1], id);
  }
});
