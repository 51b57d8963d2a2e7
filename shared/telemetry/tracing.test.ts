import assert from 'node:assert/strict';
import { execa } from 'execa';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DormouseError, toDormouseError } from '../errors/dormouse-error.ts';
import { startOtlpReceiver } from './stand-in/otlp-receiver.ts';
import { currentScope, newTraceparent, validTraceparent } from './trace-scope.ts';
import { openTracing, traced } from './tracing.ts';

const incoming = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const work = { name: 'resume', kind: 'consumer', attributes: { 'dormouse.actor': 'a' } } as const;

test('a span below the given context, phases below it, and the error that ended it', async () => {
  await using receiver = await startOtlpReceiver();
  const tracing = await openTracing('dormouse-worker', receiver.url, 'node-1');
  await assert.rejects(
    traced(tracing, { ...work, traceparent: incoming }, toDormouseError, () => {
      currentScope()?.span?.phase('vmm', 50);
      return Promise.reject(new DormouseError('vmm-failed', 'it failed'));
    }),
  );
  await traced(tracing, { ...work, traceparent: undefined }, toDormouseError, () => Promise.resolve());
  await tracing[Symbol.asyncDispose]();
  const [phase, job, alone] = receiver.spans;
  assert.deepEqual([job?.name, job?.parentSpanId, job?.service], ['resume', 'b7ad6b7169203331', 'dormouse-worker']);
  assert.deepEqual([job?.attributes['error.type'], job?.status.code], ['vmm-failed', 2]);
  assert.deepEqual([phase?.name, phase?.parentSpanId], ['vmm', job?.spanId]);
  assert.ok(phase && phase.endTimeUnixNano - phase.startTimeUnixNano === 50_000_000n);
  assert.equal(phase.traceId, incoming.slice(3, 35));
  assert.ok(alone && alone.traceId !== phase.traceId && !alone.parentSpanId);
});

test('who began a trace unsampled gets no spans of it, but its id', async () => {
  await using receiver = await startOtlpReceiver();
  const tracing = await openTracing('dormouse-worker', receiver.url, 'node-1');
  const unsampled = `${incoming.slice(0, -2)}00`;
  const seen = await traced(tracing, { ...work, traceparent: unsampled }, toDormouseError, () =>
    Promise.resolve(currentScope()?.traceparent),
  );
  await tracing[Symbol.asyncDispose]();
  assert.deepEqual(receiver.spans, []);
  assert.equal(seen?.slice(0, 35), incoming.slice(0, 35));
  assert.ok(seen.endsWith('-00'));
});

test('without a collector the scope has the id, and nothing of OpenTelemetry is loaded', async () => {
  const script = `
    const { openTracing, traced } = await import('./tracing.ts');
    const { currentScope } = await import('./trace-scope.ts');
    const tracing = await openTracing('x', undefined, 'y');
    const work = { name: 'n', kind: 'server', attributes: {}, traceparent: '${incoming}' };
    const scope = await traced(tracing, work, (cause) => cause, async () => currentScope());
    console.log(JSON.stringify({ ...scope, recorder: tracing.recorder === undefined }));`;
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  // A hook that refuses to find the packages: with them loaded the script would not end well.
  const refuse = `data:text/javascript,${encodeURIComponent(
    `import { registerHooks } from 'node:module';
     registerHooks({ resolve(specifier, context, next) {
       if (specifier.startsWith('@opentelemetry/')) throw new Error('loaded ' + specifier);
       return next(specifier, context);
     } });`,
  )}`;
  const { stdout } = await execa(process.execPath, ['--import', refuse, '--input-type=module', '-e', script], { cwd });
  assert.deepEqual(JSON.parse(stdout), { traceId: incoming.slice(3, 35), traceparent: incoming, recorder: true });
});

test('a collector that is not there disturbs nothing', async () => {
  const gone = await startOtlpReceiver();
  await gone[Symbol.asyncDispose]();
  const tracing = await openTracing('dormouse-worker', gone.url, 'node-1');
  assert.equal(await traced(tracing, { ...work, traceparent: incoming }, toDormouseError, () => Promise.resolve(1)), 1);
  await tracing[Symbol.asyncDispose]();
});

test('what is no W3C context is not taken for one; a request names its own trace', () => {
  for (const bad of [undefined, 7, '', incoming.slice(1), incoming.replace('0af7', 'xxxx'), incoming.toUpperCase()]) {
    assert.equal(validTraceparent(bad), undefined);
  }
  assert.equal(validTraceparent(`00-${'0'.repeat(32)}-b7ad6b7169203331-01`), undefined);
  assert.equal(validTraceparent(incoming), incoming);
  assert.equal(newTraceparent('a'), newTraceparent('a'));
  assert.ok(validTraceparent(newTraceparent()));
});
