import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Job } from '../../shared/jobs/contracts.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../../shared/telemetry/stand-in/otlp-receiver.ts';
import { startFixture, until, type Fixture } from '../stand-in/fixture.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

function heard(api: Fixture): Job[] {
  const jobs: Job[] = [];
  api.node.beforeJob = (job) => void jobs.push(job);
  return jobs;
}

suite('traces of the api, recorded', () => {
  let api: Fixture;
  let receiver: OtlpReceiver;
  before(async () => {
    receiver = await startOtlpReceiver();
    api = await startFixture((_request, response) => response.end('hello'), { otlpEndpoint: receiver.url });
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  test('a call is a span of the trace it came with, and its job goes on from there', async () => {
    await api.sleeping('traced');
    const jobs = heard(api);
    await api.call('GET', '/v1/actors/traced/invoke/', { headers: { traceparent } });
    await until(() => receiver.spans.some(({ name }) => name === 'call'));
    const span = receiver.spans.find(({ name }) => name === 'call');
    assert.deepEqual([span?.traceId, span?.parentSpanId, span?.service], [traceId, 'b7ad6b7169203331', 'dormouse-api']);
    assert.equal(jobs[0]?.traceparent, `00-${traceId}-${span?.spanId}-01`);
  });

  test('a request with a body hands its trace to the job it causes, and so does one without', async () => {
    await api.sleeping('asked');
    const jobs = heard(api);
    const ask = (what: string, body?: object) =>
      api.call('POST', `/v1/actors/asked/${what}`, { headers: { traceparent, prefer: 'wait=10' }, body });
    await ask('resume', { node: 'node-1' });
    await ask('suspend');
    await until(() => receiver.spans.filter(({ name }) => name.startsWith('POST /v1/actors/:id/')).length === 2);
    const spans = receiver.spans.filter(({ name }) => name.startsWith('POST /v1/actors/:id/'));
    assert.deepEqual(
      jobs.map((job) => job.traceparent),
      spans.map(({ spanId }) => `00-${traceId}-${spanId}-01`),
    );
  });
});

suite('traces of the api, without a collector', () => {
  let api: Fixture;
  before(async () => {
    api = await startFixture((_request, response) => response.end('hello'), { slots: 1 });
  });
  after(() => api[Symbol.asyncDispose]());

  test('a job has the trace of its call, and one of its own when the call has none; parked calls keep theirs', async () => {
    await api.sleeping('first');
    await api.sleeping('second');
    await api.sleeping('third');
    const jobs = heard(api);
    await api.call('GET', '/v1/actors/first/invoke/', { headers: { 'x-request-id': 'one' } });
    const own = jobs[0]?.traceparent ?? '';
    assert.match(own, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    // No room: both park, the second one first.
    const calls = ['second', 'third'].map((id, index) =>
      api.call('GET', `/v1/actors/${id}/invoke/`, {
        headers: { traceparent: traceparent.replace('0af7', `0af${index}`) },
      }),
    );
    for (const id of ['first', 'second', 'third']) {
      await until(async () => (await api.registry.getActor(id))?.state === 'running');
      await api.call('POST', `/v1/actors/${id}/suspend`, { headers: { prefer: 'wait=10' } });
    }
    await Promise.all(calls);
    const resumed = jobs.filter(({ kind }) => kind === 'resume').slice(1);
    const order = resumed.map((job) => ('actorId' in job ? job.actorId : ''));
    for (const [index, id] of ['second', 'third'].entries()) {
      assert.ok(resumed[order.indexOf(id)]?.traceparent?.startsWith(`00-0af${index}6519`), id);
    }
    assert.notEqual(own.slice(3, 35), traceId);
  });
});
