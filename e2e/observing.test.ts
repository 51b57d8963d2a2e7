import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { until } from '../shared/process/until.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../shared/telemetry/stand-in/otlp-receiver.ts';
import type { Change } from '../sdk/events.ts';
import { callCounter, suspend } from './counter-calls.ts';
import { startPlatform, type Platform } from './platform.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const callersSpan = 'b7ad6b7169203331';

/** What one wake and one suspend of a real actor tell to whoever watches: a trace, events, metrics, log lines. */
suite('observing', () => {
  let platform: Platform;
  let receiver: OtlpReceiver;
  before(async () => {
    receiver = await startOtlpReceiver();
    platform = await startPlatform({
      environment: {
        DORMOUSE_NODES: '1',
        DORMOUSE_LOG_LEVEL: 'debug',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      },
    });
    await platform.template('counter');
  });
  after(async () => {
    await platform[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  const spansOfTrace = (): ReceivedSpan[] => receiver.spans.filter((span) => span.traceId === traceId);
  const lines = async (name: string): Promise<Record<string, unknown>[]> =>
    (await readFile(path.join(platform.home, 'logs', `${name}.log`), 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const metrics = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text();

  test('one wake is one trace, from the caller over the api to every phase of the node', async () => {
    const { client, url } = platform;
    await client.actors.create({ id: 'watched', template: 'counter' });
    const answer = await fetch(`${url}/v1/actors/watched/invoke/`, {
      headers: { traceparent: `00-${traceId}-${callersSpan}-01` },
    });
    assert.equal(answer.status, 200);
    await until(() => ['call', 'resume'].every((name) => spansOfTrace().some((span) => span.name === name)), {
      ...{ signal: AbortSignal.timeout(10_000), everyMs: 50, what: 'the spans of the wake' },
    });
    const spans = spansOfTrace();
    const call = spans.find(({ name }) => name === 'call');
    const job = spans.find(({ name }) => name === 'resume');
    assert.deepEqual([call?.service, call?.parentSpanId], ['dormouse-api', callersSpan]);
    assert.deepEqual([job?.service, job?.parentSpanId], ['dormouse-worker', call?.spanId]);
    const phases = spans.filter(({ parentSpanId }) => parentSpanId === job?.spanId).map(({ name }) => name);
    const timed = Object.keys((await client.actors.get('watched')).lastStart?.phases ?? {});
    assert.ok(timed.length > 3);
    assert.deepEqual([...new Set(phases)].sort(), timed.sort());
  });

  test('its events carry the phases, and a reader that comes later gets the same ones', async () => {
    const { client } = platform;
    await suspend(client, 'watched');
    const seen: Change[] = [];
    for await (const change of client.events.watch({ after: '0-0', actor: 'watched' })) {
      seen.push(change);
      if (change.to === 'suspended' && change.generation === 1) break;
    }
    assert.deepEqual(
      seen.map(({ to }) => to),
      ['suspended', 'resuming', 'running', 'suspending', 'suspended'],
    );
    assert.deepEqual(seen[2]?.phases, (await client.actors.get('watched')).lastStart?.phases);
    assert.ok(Object.hasOwn(seen[4]?.phases ?? {}, 'ship'));
    assert.equal(new Set(seen.slice(1).map(({ epoch }) => epoch)).size, 1);
  });

  test('api and node count it', async () => {
    const api = await metrics(platform.url);
    assert.match(api, /^dormouse_calls_total\{start="warm",outcome="answered"\} 1$/m);
    const ready = (await lines('node-1')).find(({ msg }) => msg === 'node ready');
    const node = await metrics(String(ready?.['status']));
    assert.match(node, /^dormouse_wakes_total\{start="warm",outcome="done"\} 1$/m);
    assert.match(node, /^dormouse_jobs_total\{job="suspend",outcome="done"\} 1$/m);
    assert.match(node, /^dormouse_phase_seconds_count\{job="suspend",phase="ship"\} 1$/m);
    assert.match(node, /^dormouse_node_serves 1$/m);
    const shipped = (await platform.client.actors.get('watched')).sizes?.shippedBytes ?? Infinity;
    assert.ok(Number(/^dormouse_store_sent_bytes_total (\d+)$/m.exec(node)?.[1]) >= shipped);
  });

  test('the log lines of both processes name the trace', async () => {
    const { client } = platform;
    await callCounter(client, 'watched');
    const ofApi = (await lines('api')).filter(({ msg }) => msg === 'waking an actor');
    assert.equal(ofApi[0]?.['traceId'], traceId);
    assert.equal(new Set(ofApi.map((line) => line['traceId'])).size, 2, 'the second wake has a trace of its own');
    const committed = (await lines('node-1')).find(({ msg }) => msg === 'generation committed');
    assert.match(String(committed?.['traceId']), /^[0-9a-f]{32}$/);
    // The worker hands its spans over some time after they have ended.
    const isTold = () =>
      receiver.spans.some((span) => span.name === 'suspend' && span.traceId === committed?.['traceId']);
    await until(isTold, { signal: AbortSignal.timeout(20_000), everyMs: 100, what: 'the span of the suspend' });
  });
});
