import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { builtTemplates } from '../infra/stack/bundled-templates.ts';
import type { DormouseApiError } from '../sdk/api-error.ts';
import type { TemplateSpec } from '../sdk/templates.ts';
import { startPlatform, type Platform } from './platform.ts';

suite('templates that cannot work say why, each in its own way', () => {
  let platform: Platform;
  let counter: TemplateSpec;
  before(async () => {
    platform = await startPlatform();
    counter = (await builtTemplates(['counter']))['counter']?.spec as TemplateSpec;
  });
  after(() => platform[Symbol.asyncDispose]());

  const withContainer = (name: string, changes: object): TemplateSpec => ({
    ...counter,
    name,
    containers: counter.containers.map((container) => ({ ...container, ...changes })),
  });

  async function failureOf(spec: TemplateSpec): Promise<DormouseApiError> {
    await platform.client.templates.apply(spec);
    return platform.client.templates.waitReady(spec.name, { timeoutMs: 120_000 }).then(
      () => assert.fail(`${spec.name} became ready`),
      (error: unknown) => error as DormouseApiError,
    );
  }

  test('a container that exits', async () => {
    const error = await failureOf(withContainer('exits', { env: { COUNTER_FAIL: 'exit' } }));
    assert.equal(error.code, 'container-exited');
    assert.match(error.message, /counter/);
    const { details } = (await platform.client.templates.get('exits')).error ?? {};
    const guest = (details as { guest?: Record<string, unknown>; log?: string } | undefined)?.guest;
    assert.match(String(guest?.['mounts']), /overlay/, 'the guest’s mounts are in the error');
    assert.ok(String(guest?.['kernelLogTail']).length > 0);
    assert.match(String((details as { log?: string }).log), /\S/, 'the container’s last words are in the error');
  });

  test('a probe that never passes', async () => {
    const error = await failureOf(withContainer('never', { env: { COUNTER_FAIL: 'hang' } }));
    assert.equal(error.code, 'probe-failed');
    await assert.rejects(platform.client.actors.create({ template: 'never' }), { code: 'template-failed' });
  });

  test('a warm-up call that is refused', async () => {
    const warmUp = { paths: ['/healthz', '/identity'], times: 2 };
    const error = await failureOf(withContainer('refused', { warmUp }));
    assert.equal(error.code, 'warm-up-failed');
    assert.match(error.message, /container counter: GET \/identity answered 404/);
    const { details } = (await platform.client.templates.get('refused')).error ?? {};
    assert.deepEqual(details, { container: 'counter', path: '/identity', status: 404 });
    await assert.rejects(platform.client.actors.create({ template: 'refused' }), { code: 'template-failed' });
  });

  test('a command that is not in the image', async () => {
    const error = await failureOf(withContainer('wrong', { command: ['/no/such/program'] }));
    assert.equal(error.code, 'container-start-failed');
    assert.match(error.message, /no\/such\/program|No such file/i);
  });

  test('an image that does not exist', async () => {
    const error = await failureOf(withContainer('lost', { image: 'oci:/no/such/layout:latest' }));
    assert.equal(error.code, 'image-unavailable');
    assert.match(error.message, /no\/such\/layout/);
  });

  test('a name that is none, and everything else that is wrong, field by field', async () => {
    const spec = { ...counter, name: 'Not A Name', memoryMiB: 1, containers: [{ name: 'x_y', image: '' }] };
    const error = await platform.client.templates.apply(spec).then(
      () => assert.fail('it was accepted'),
      (cause: unknown) => cause as DormouseApiError,
    );
    assert.deepEqual([error.status, error.code], [400, 'invalid-input']);
    const fields = error.errors.map((field) => field.field).join(' ');
    for (const field of ['name', 'memoryMiB', 'containers']) assert.match(fields, new RegExp(field));
  });

  test('the same name with another specification', async () => {
    const spec = withContainer('once', { image: 'oci:/no/such/layout:latest' });
    await platform.client.templates.apply(spec);
    await assert.rejects(platform.client.templates.apply({ ...spec, memoryMiB: 512 }), {
      code: 'template-conflict',
      status: 409,
    });
  });
});
